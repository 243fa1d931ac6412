-- The three dearest campaigns of each country in a week.
SELECT country, campaign_id, billing FROM (
  SELECT country, campaign_id, billing, row_number() OVER (PARTITION BY country ORDER BY billing DESC, campaign_id) AS rn
  FROM (SELECT country, campaign_id, sum(billing) AS billing FROM events
        WHERE date BETWEEN CAST('2017-08-01' AS DATE) AND CAST('2017-08-07' AS DATE)
        GROUP BY country, campaign_id) AS s) AS r
WHERE rn <= 3
ORDER BY country, billing DESC, campaign_id;
