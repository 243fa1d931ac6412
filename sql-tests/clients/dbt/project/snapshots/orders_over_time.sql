{% snapshot orders_over_time %}
{{ config(target_schema=target.schema, unique_key='id', strategy='check', check_cols=['price']) }}
select id, country, price + {{ var('round', 1) }} - 1 as price from {{ ref('orders') }} where id < {{ 4 + var('round', 1) }}
{% endsnapshot %}
