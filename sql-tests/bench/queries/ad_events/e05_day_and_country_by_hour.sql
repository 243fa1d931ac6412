-- The same question of the layout with 24 files a day, which are not sorted by country.
SELECT sum(clicks) AS clicks, count(*) AS n
FROM events
WHERE date = CAST('2017-08-02' AS DATE) AND country = 'US';
