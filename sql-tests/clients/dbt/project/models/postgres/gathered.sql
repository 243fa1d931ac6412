{{ config(materialized='materialized_view') }}
select country, count(*) as n from {{ ref('orders') }} group by country
