-- One day and one country, of files that are sorted by country.
SELECT sum(clicks) AS clicks, count(*) AS n
FROM events_daily
WHERE date = CAST('2017-08-02' AS DATE) AND country = 'US';
