{{ config(materialized='table', post_hook="analyze {{ this }}") }}
select c.code, cast(c.name as varchar(50)) as name, count(o.id) as orders, sum(o.price) as total
from {{ ref('countries') }} as c left join {{ ref('orders_by_day') }} as o on o.country = c.code
group by c.code, c.name
