-- Subqueries over joins of a table with itself, whose columns have the same names.
create table a (k int, v int); insert into a values (1,10),(2,20),(3,30);
create table b (k int, w int); insert into b values (1,1),(2,2);
select k from a where exists (select from b x left join b y on x.k = y.k + 100 where x.w < y.w + a.v) order by 1;
select k from a where exists (select from b x left join b y on y.k < y.k where x.w < y.w + a.v) order by 1;
select k from a where exists (select from b x left join b y on false where x.w < y.w + a.v) order by 1;
select k from a where exists (select from b x left join b y on x.k = y.k + 100 where y.w = a.k) order by 1;
select k from a where exists (select from b x left join b y on x.k = y.k + 100 where y.w < a.k) order by 1;
select k from a where k in (select x.k from b x left join b y on x.k = y.k + 100 where y.w < a.v) order by 1;
select k from a where not exists (select from b x left join b y on x.k = y.k + 100 where y.w < a.v) order by 1;
select k, (select count(*) from b x left join b y on x.k = y.k + 100 where y.w < a.v) from a order by 1;
select k from a where not exists (select from b where 3 <> a.k and 2 = a.k) order by 1;
select k from a where not exists (select from b x left join b y on x.k = y.k + 100 where 3 <> a.k and 2 = a.k) order by 1;
select k from a where not exists (select from b x left join b y on x.k = y.k where 3 <> a.k and (x.w + y.k) > a.v and 2 = a.k) order by 1;
select k from a where (k, k) not in (select w, count(*) from b group by w having count(*) > 1) order by 1;
select k from a where (k, k) not in (select w, count(*) from b group by w) order by 1;
select q.k from (select k from a where not exists (select from b where 2 = a.k)) q where (k, k) not in (select w, 5 from b) order by 1;
