{{ config(materialized='table') }}
select day, {{ dbt.datediff("cast('2024-01-01' as timestamp)", "cast(day as timestamp)", 'day') }} as days_since,
    {{ dbt.concat(["country", "'!'"]) }} as mark
from {{ ref('dear') }}
