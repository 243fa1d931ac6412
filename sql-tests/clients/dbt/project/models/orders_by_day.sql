select id, country, price, cast(ordered_at as date) as day, {{ dbt.date_trunc('month', 'ordered_at') }} as month
from {{ ref('orders') }}
