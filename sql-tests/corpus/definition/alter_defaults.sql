-- What a default means once its column has another type.
create table d (a numeric(10,2) default 1.5, b varchar(3) default 'ab', c int default 1.6, e date default '2024-01-01 10:00'::timestamp);
alter table d alter a type text, alter c type numeric, alter e type timestamp;
alter table d alter b type text;
insert into d default values; select * from d;
create table d2 (b varchar(3) default 'abcdef', c char(2) default 'xyz', n smallint default 100000);
alter table d2 alter b type text;
alter table d2 alter c type text;
alter table d2 alter n type int;
insert into d2 default values; select * from d2;
CREATE TABLE shown (a varchar(10) DEFAULT 'none', b text DEFAULT 'it''s');
ALTER TABLE shown ALTER a TYPE text, ALTER b TYPE varchar;
SELECT column_name, column_default FROM information_schema.columns WHERE table_name = 'shown' AND table_schema = current_schema() ORDER BY 1;
INSERT INTO shown DEFAULT VALUES RETURNING *;
