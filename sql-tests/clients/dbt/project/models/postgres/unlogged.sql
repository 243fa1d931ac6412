{{ config(materialized='table', unlogged=True, grants={'select': ['clients']}) }}
select * from {{ ref('orders_by_day') }}
