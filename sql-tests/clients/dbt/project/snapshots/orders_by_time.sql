{% snapshot orders_by_time %}
{{ config(target_schema=target.schema, unique_key='id', strategy='timestamp', updated_at='ordered_at', hard_deletes='invalidate') }}
select id, country, ordered_at + {{ var('round', 1) - 1 }} * interval '1 day' as ordered_at
from {{ ref('orders') }} where id <> {{ var('round', 1) }} or {{ var('round', 1) }} = 1
{% endsnapshot %}
