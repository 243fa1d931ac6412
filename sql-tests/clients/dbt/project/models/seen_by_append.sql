{{ config(materialized='incremental', incremental_strategy='append') }}
select id, price, ordered_at, {{ var('round', 1) }} as round
from {{ ref('orders') }}
{% if is_incremental() %} where ordered_at >= (select max(ordered_at) from {{ this }}) {% endif %}
