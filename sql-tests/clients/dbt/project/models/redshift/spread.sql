{{ config(materialized='table', dist='country', sort=['day', 'id'], bind=False) }}
select * from {{ ref('orders_by_day') }}
