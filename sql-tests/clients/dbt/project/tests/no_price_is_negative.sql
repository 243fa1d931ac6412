select id from {{ ref('orders') }} where price < 0
