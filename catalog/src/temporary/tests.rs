use super::*;
use crate::error::Error;
use crate::hot_table::Column;
use crate::rows::testing::{append, compaction, delete};
use crate::transaction::{Isolation, Transaction};
use crate::types::SqlType;
use crate::user_type::{UserType, UserTypeKind, new_labels};

const OWN: Oid = Oid(30_000);
const SHARED: Oid = Oid(20_000);

struct Scene {
    catalog: Arc<Catalog>,
    session: SessionCatalog,
    _directory: tempfile::TempDir,
}

fn scene() -> Scene {
    let directory = tempfile::tempdir().unwrap();
    let catalog = Arc::new(Catalog::open(directory.path()).unwrap());
    let session = SessionCatalog::new(catalog.clone(), 7);
    Scene { catalog, session, _directory: directory }
}

fn table(oid: Oid, schema: &str) -> CatalogChange {
    let column = Column::new(1, "id", SqlType::Integer);
    CatalogChange::CreateHotTable(HotTable::new(oid, ObjectName::new(schema, "t"), vec![column]))
}

fn schema(oid: u32, name: &str) -> CatalogChange {
    CatalogChange::CreateSchema(Schema { oid: Oid(oid), name: name.into(), kind: SchemaKind::Local })
}

impl Scene {
    async fn make_own_table(&self) {
        let changes =
            self.session.with_schema(vec![table(OWN, "pg_temp_7"), append(OWN, 0..3)], &self.session.snapshot());
        self.session.commit(changes).await.unwrap();
    }

    fn own_rows(&self) -> u64 {
        self.session.snapshot().rows(OWN).rows()
    }
}

#[tokio::test]
async fn others_see_nothing_of_it_and_nothing_is_committed_durably() {
    let scene = scene();
    scene.make_own_table().await;
    scene.session.commit(vec![append(OWN, 3..5)]).await.unwrap();
    assert_eq!(scene.own_rows(), 5);
    let shared = scene.catalog.snapshot();
    assert_eq!((shared.version(), shared.relation_by_oid(OWN).is_some()), (0, false));
    assert_eq!(SessionCatalog::new(scene.catalog.clone(), 8).snapshot().rows(OWN).rows(), 0);
}

#[tokio::test]
async fn both_parts_of_a_transaction_are_committed_or_neither() {
    let scene = scene();
    scene.make_own_table().await;
    for (name, taken) in [("free", false), ("taken", true)] {
        let mut transaction = Transaction::new(Isolation::ReadCommitted);
        transaction.add(&scene.session, vec![append(OWN, 0..10), schema(20_100, name)]).unwrap();
        if taken {
            scene.catalog.commit(vec![schema(20_200, name)]).await.unwrap();
        }
        let committed = transaction.commit(&scene.session).await;
        assert_eq!(matches!(committed, Err(Error::SchemaExists(_))), taken);
        assert_eq!(scene.own_rows(), 13);
    }
}

#[tokio::test]
async fn rows_that_come_and_go_leave_the_definitions_as_they_are() {
    let scene = scene();
    scene.catalog.commit(vec![table(SHARED, "public")]).await.unwrap();
    scene.make_own_table().await;
    let before = scene.session.snapshot();
    scene.session.commit(vec![append(OWN, 0..1), append(SHARED, 0..1)]).await.unwrap();
    let after = scene.session.snapshot();
    assert!(after.has_definitions_of(&before));
    assert!(Arc::ptr_eq(&after, &scene.session.snapshot()));
    assert_eq!((after.rows(OWN).rows(), after.rows(SHARED).rows()), (4, 1));
}

#[tokio::test]
async fn a_column_goes_with_its_type_that_somebody_else_drops() {
    let scene = scene();
    let kind = UserTypeKind::Enum(new_labels(["a".to_owned()]));
    let mood = UserType { oid: Oid(20_000), array_oid: Oid(20_001), name: ObjectName::new("public", "mood"), kind };
    scene.catalog.commit(vec![CatalogChange::CreateType(mood.clone())]).await.unwrap();
    let mut columns = vec![Column::new(1, "id", SqlType::Integer), Column::new(2, "m", mood.sql_type())];
    columns.push(Column::new(3, "n", mood.array_sql_type()));
    let own = HotTable::new(OWN, ObjectName::new("pg_temp_7", "t"), columns);
    let changes = scene.session.with_schema(vec![CatalogChange::CreateHotTable(own)], &scene.session.snapshot());
    scene.session.commit(changes).await.unwrap();
    let names = || match scene.session.snapshot().relation_by_oid(OWN) {
        Some(relation) => relation.columns().map(|(name, _)| name.to_owned()).collect::<Vec<_>>(),
        None => Vec::new(),
    };
    assert_eq!(names(), ["id", "m", "n"]);
    scene.catalog.commit(vec![CatalogChange::DropType { oid: mood.oid }]).await.unwrap();
    assert_eq!(names(), ["id"]);
    scene.session.commit(vec![append(OWN, 0..1)]).await.unwrap();
    assert_eq!((names(), scene.own_rows()), (vec!["id".to_owned()], 1));
}

#[tokio::test]
async fn a_session_without_a_transaction_keeps_nobody_from_forgetting() {
    let scene = scene();
    scene.make_own_table().await;
    drop(scene.session.snapshot());
    let shared = Arc::downgrade(&scene.catalog.snapshot());
    scene.catalog.commit(vec![schema(20_100, "s")]).await.unwrap();
    assert_eq!(shared.strong_count(), 0);
}

#[tokio::test]
async fn a_session_with_a_transaction_finds_rows_that_compaction_has_moved() {
    let scene = scene();
    let filled = scene.catalog.commit(vec![table(SHARED, "public"), append(SHARED, 0..10)]).await.unwrap();
    let unit = filled.rows(SHARED).inline_units().next().unwrap().unit;
    drop(filled);
    scene.make_own_table().await;
    let mut transaction = Transaction::new(Isolation::ReadCommitted);
    drop(transaction.snapshot(&scene.session).unwrap());
    scene.catalog.commit(compaction(SHARED, unit, 10)).await.unwrap();
    for (oid, name) in [(20_100, "a"), (20_101, "b")] {
        scene.catalog.commit(vec![schema(oid, name)]).await.unwrap();
    }
    transaction.add(&scene.session, vec![delete(SHARED, unit, &[3])]).unwrap();
    transaction.commit(&scene.session).await.unwrap();
    assert_eq!(scene.catalog.snapshot().rows(SHARED).rows(), 9);
}
