-- What stands behind IS DISTINCT FROM ends before AND.
select true is distinct from true and false as a, false is not distinct from true or true as b, 1 is distinct from 2 = true;
create table bb (x bool, y bool, z bool);
insert into bb values (true,true,false),(true,false,false),(false,true,true),(null,true,false);
select * from bb where x is distinct from y and z order by 1,2,3;
select * from bb where x is not distinct from y or z order by 1,2,3;
delete from bb where x is distinct from y and z;
