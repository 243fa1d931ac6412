{{ config(materialized='ephemeral') }}
select * from {{ ref('orders_by_day') }} where price > 15
