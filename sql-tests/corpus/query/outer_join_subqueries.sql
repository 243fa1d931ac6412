-- Subqueries in the conditions of joins.
create table p(id int, boss int, name text, pay numeric(10,2));
insert into p values (1,null,'ann',100.50),(2,1,'bob',80),(3,1,'cyd',80),(4,2,'dan',null),(5,2,'eve',60),(6,99,null,60);
create table o(id int, pid int, amt int);
insert into o values (1,1,10),(2,1,20),(3,2,5),(4,null,7),(5,77,1),(6,3,null),(7,3,20);
SELECT p.id, o.id FROM p LEFT JOIN o ON o.pid = p.id AND o.amt > (SELECT avg(amt) FROM o) ORDER BY 1,2;
SELECT p.id, o.id FROM p LEFT JOIN o ON o.pid = p.id AND EXISTS (SELECT 1 FROM p q WHERE q.boss = p.id) ORDER BY 1,2;
SELECT p.id, o.id FROM p LEFT JOIN o ON o.pid = p.id AND o.id IN (SELECT max(id) FROM o o2 WHERE o2.pid = o.pid) ORDER BY 1,2;
SELECT p.id, o.id FROM p LEFT JOIN o ON o.pid = p.id AND o.amt = (SELECT max(amt) FROM o o2 WHERE o2.pid = p.id) ORDER BY 1,2;
SELECT p.id, o.id FROM o RIGHT JOIN p ON o.pid = p.id AND o.amt = (SELECT max(amt) FROM o o2 WHERE o2.pid = p.id) ORDER BY 1,2;
SELECT p.id, o.id FROM o RIGHT JOIN p ON o.pid = p.id AND o.amt = (SELECT max(amt)+o.id*0 FROM o o2 WHERE o2.pid = p.id) ORDER BY 1,2;
SELECT p.id, o.id FROM p FULL JOIN o ON o.pid = p.id AND o.id NOT IN (SELECT q.id FROM p q WHERE q.boss IS NULL) ORDER BY 1,2;
SELECT p.id, o.id FROM p FULL JOIN o ON o.pid = p.id AND o.amt = (SELECT max(amt) FROM o o2 WHERE o2.pid = o.pid) ORDER BY 1,2;
SELECT p.id, o.id FROM p FULL JOIN o ON o.pid = p.id AND (SELECT p.id + o.id) > 3 ORDER BY 1,2;
SELECT p.id, o.id FROM p FULL JOIN o ON o.pid = (SELECT p.id) ORDER BY 1,2;
SELECT p.id, o.id FROM p LEFT JOIN o ON (SELECT p.id + o.id) > 3 AND o.pid=p.id ORDER BY 1,2;
SELECT p.id, o.id FROM p LEFT JOIN o ON (SELECT count(*) FROM o x WHERE x.pid = p.id AND x.id <= o.id) = 2 ORDER BY 1,2;
SELECT p.id, o.id FROM p LEFT JOIN o ON o.id = ANY (SELECT x.id FROM o x WHERE x.pid = p.id) ORDER BY 1,2;
SELECT p.id, o.id FROM p LEFT JOIN o ON o.amt > ALL (SELECT x.amt FROM o x WHERE x.pid = p.boss) ORDER BY 1,2;
