-- A text within long texts.
SELECT os, count(*) AS n FROM events WHERE ua LIKE '%iPhone OS 11%' GROUP BY os ORDER BY n DESC, os;
