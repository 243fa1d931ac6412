{{ config(materialized='incremental', unique_key='id', on_schema_change='append_new_columns') }}
select id, price {% if var('round', 1) > 1 %}, country, cast(id as bigint) * 10 as more {% endif %}
from {{ ref('orders') }}
