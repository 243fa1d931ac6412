{{ config(materialized='incremental', incremental_strategy='microbatch', unique_key='id', event_time='ordered_at',
          batch_size='month', begin='2024-01-01') }}
select id, ordered_at, price from {{ ref('orders') }}
