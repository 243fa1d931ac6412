-- What access control lists say. Those that objects begin with name their owner, who is another one here and there.
SELECT kind, acl IS NULL, cardinality(acl) FROM (SELECT kind, acldefault(kind::"char", 10) AS acl FROM unnest('{c,r,s,d,f,l,L,n,t,F,S,T,p}'::text[]) AS kind) AS t ORDER BY kind;
SELECT kind, a.grantor, a.grantee, a.privilege_type, a.is_grantable FROM unnest('{c,r,s,d,f,l,L,n,t,F,S,T,p}'::text[]) WITH ORDINALITY AS t (kind, n), aclexplode(acldefault(kind::"char", 10)) WITH ORDINALITY AS a (grantor, grantee, privilege_type, is_grantable, m) ORDER BY n, m;
SELECT acldefault('r', 3999999999), acldefault('T', 3999999999), acldefault('d', 3999999999), acldefault('r', 0), acldefault(NULL, 10), acldefault('r', NULL);
SELECT (aclexplode(acldefault('n', 3999999999))).*;
SELECT * FROM aclexplode(NULL);
SELECT * FROM aclexplode(acldefault('c', 10));
SELECT pg_typeof(acldefault('r', 10));
SELECT acldefault('x', 10);
SELECT relname, a.privilege_type, a.grantee = c.relowner FROM pg_class AS c CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS a WHERE c.relname = 'pg_aggregate' AND a.grantee <> 0 ORDER BY 2;
