{{ config(materialized='table', indexes=[{'columns': ['id'], 'unique': True}, {'columns': ['country', 'day']}]) }}
select * from {{ ref('orders_by_day') }}
