SELECT setseed(2);
SELECT setseed('nan');
SELECT random() >= 0 AND random() < 1;
SELECT count(*), min(r) >= 0, max(r) < 1, count(DISTINCT r) > 900 FROM (SELECT random() AS r FROM generate_series(1, 1000)) t;
