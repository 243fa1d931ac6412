{{ config(materialized='materialized_view', dist='country', sort=['country']) }}
select country, count(*) as n from {{ ref('orders') }} group by country
