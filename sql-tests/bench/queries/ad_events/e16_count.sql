-- What the footers of the files know.
SELECT count(*) AS n FROM events;
