-- Exact count of millions of distinct values.
SELECT count(DISTINCT content_id) AS n FROM events;
