// A session of pgx: binary values, statements that it prepares by itself, batches, COPY in binary.
package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"time"

	"github.com/jackc/pgconn"
	"github.com/jackc/pgtype"
	"github.com/jackc/pgx/v4"
)

var ctx = context.Background()

func code(err error) string {
	var answered *pgconn.PgError
	if errors.As(err, &answered) {
		return answered.Code
	}
	if err != nil {
		return err.Error()
	}
	return "no error"
}

func open(options string) *pgx.Conn {
	connection, err := pgx.Connect(ctx, options)
	must(err)
	return connection
}

func one(db *pgx.Conn, query string, arguments ...interface{}) interface{} {
	rows, err := db.Query(ctx, query, arguments...)
	must(err)
	defer rows.Close()
	if !rows.Next() {
		must(rows.Err())
		return "no row"
	}
	got, err := rows.Values()
	must(err)
	return got[0]
}

func run(db *pgx.Conn, query string, arguments ...interface{}) error {
	_, err := db.Exec(ctx, query, arguments...)
	return err
}

// A value as it comes, to be sent back as it came.
type raw struct{ bytes []byte }

func (r *raw) DecodeBinary(_ *pgtype.ConnInfo, source []byte) error {
	r.bytes = append([]byte(nil), source...)
	return nil
}

func (r *raw) EncodeBinary(_ *pgtype.ConnInfo, target []byte) ([]byte, error) {
	return append(target, r.bytes...), nil
}

func connecting() {
	_, err := pgx.Connect(ctx, "password=wrong")
	equal("wrong password", code(err), "28P01")
	socket := open("sslmode=disable host=" + os.Getenv("CLIENTS_SOCKET"))
	equal("Unix socket", one(socket, "SELECT current_user::text"), "clients")
	equal("settings", one(open("statement_timeout=12000 search_path=pg_catalog"), "SHOW statement_timeout"), "12s")
}

// JSON comes in binary with a version before it, which pgx's own type adds; a "char" has no binary form in pgx.
func readingAndSending(db *pgx.Conn) {
	for _, value := range values() {
		part(value.name, func() {
			cast := "SELECT format('%s', $1::" + value.kind + ")"
			equal(value.name+", text", one(db, "SELECT format('%s', "+value.sql+")"), value.text)
			equal(value.name+", sent as text", one(db, "SELECT format('%s', $1::text::"+value.kind+")", value.text), value.text)
			var got raw
			must(db.QueryRow(ctx, "SELECT "+value.sql, pgx.QueryResultFormats{pgx.BinaryFormatCode}).Scan(&got))
			equal(value.name+", sent", one(db, cast, &got), value.text)
			equal("NULL of "+value.kind, one(db, "SELECT $1::"+value.kind, nil), nil)
		})
	}
	when := time.Date(2024, 7, 1, 12, 0, 0, 123456000, time.UTC)
	equal("time", one(db, "SELECT $1::timestamptz", when).(time.Time).UTC(), when)
	equal("bytes", one(db, "SELECT $1::bytea", []byte{0, 255}), []byte{0, 255})
	var array []int32
	must(db.QueryRow(ctx, "SELECT $1::int[]", []int32{1, 2}).Scan(&array))
	equal("array", array, []int32{1, 2})
	equal("simple protocol", one(db, "SELECT $1::text", pgx.QuerySimpleProtocol(true), "it's"), "it's")
}

func prepared(db *pgx.Conn) {
	for number := 0; number < 15; number++ {
		var twice int
		var upper string
		must(db.QueryRow(ctx, "SELECT $1::int * 2, upper($2)", number, "ü").Scan(&twice, &upper))
		equal("prepared", []interface{}{twice, upper}, []interface{}{number * 2, "Ü"})
	}
	description, err := db.Prepare(ctx, "named", "SELECT $1 + 1.5::float8, $2::date - 1")
	must(err)
	equal("parameters", description.ParamOIDs, []uint32{701, 1082})
	equal("table", code(run(db, "SELECT *  FROM nowhere")), "42P01")
	equal("division", code(run(db, "SELECT 1 / $1::int", 0)), "22012")
	equal("lives on", one(db, "SELECT 1"), 1)
}

func transactions(db *pgx.Conn) {
	must(run(db, "CREATE TEMP TABLE rows (id int, t text, at timestamptz, n numeric(10,2), a int[])"))
	transaction, err := db.Begin(ctx)
	must(err)
	inner, err := transaction.Begin(ctx)
	must(err)
	_, err = inner.Exec(ctx, "SELECT 1 / 0")
	equal("fails", code(err), "22012")
	_, err = inner.Exec(ctx, "SELECT 1")
	equal("refused", code(err), "25P02")
	must(inner.Rollback(ctx))
	_, err = transaction.Exec(ctx, "INSERT INTO rows (id) VALUES ($1)", 1)
	must(err)
	must(transaction.Commit(ctx))
	source := [][]interface{}{{int32(2), "ü", time.Unix(0, 0), nil, []int32{1, 2}}, {int32(3), nil, nil, nil, nil}}
	columns := []string{"id", "t", "at", "n", "a"}
	copied, err := db.CopyFrom(ctx, pgx.Identifier{"rows"}, columns, pgx.CopyFromRows(source))
	must(err)
	equal("copied", copied, 2)
	var out bytes.Buffer
	_, err = db.PgConn().CopyTo(ctx, &out, "COPY rows TO STDOUT (FORMAT csv)")
	must(err)
	equal("CSV", out.String(), "1,,,,\n2,ü,1970-01-01 00:00:00+00,,\"{1,2}\"\n3,,,,\n")
	_, err = db.PgConn().CopyFrom(ctx, bytes.NewBufferString("x\n"), "COPY rows (id) FROM STDIN")
	equal("COPY fails", code(err), "22P02")
}

func batches(db *pgx.Conn) {
	batch := &pgx.Batch{}
	for number := 0; number < 100; number++ {
		batch.Queue("SELECT $1::int + 1", number)
	}
	batch.Queue("INSERT INTO rows (id) VALUES (77)")
	batch.Queue("SELECT 1 / 0")
	answers := db.SendBatch(ctx, batch)
	for number := 0; number < 100; number++ {
		var got int
		must(answers.QueryRow().Scan(&got))
		equal("batch", got, number+1)
	}
	_, err := answers.Exec()
	must(err)
	_, err = answers.Exec()
	equal("fails", code(err), "22012")
	answers.Close()
	equal("none of it", one(db, "SELECT count(*) FROM rows WHERE id = 77"), 0)
}

func results(db *pgx.Conn) {
	rows, err := db.Query(ctx, "SELECT i, repeat('x', 100) FROM generate_series(1, 100000) AS s(i)")
	must(err)
	var sum, number int
	var text string
	for rows.Next() {
		must(rows.Scan(&number, &text))
		sum += number
	}
	equal("many rows", sum, 5000050000)
	equal("big", len(one(db, "SELECT repeat('x', 20000000)").(string)), 20000000)
}

func cancelling(db *pgx.Conn) {
	must(run(db, "SET statement_timeout = 100"))
	equal("timeout", code(run(db, endless)), "57014")
	must(run(db, "RESET statement_timeout"))
	go func() {
		time.Sleep(300 * time.Millisecond)
		db.PgConn().CancelRequest(ctx)
	}()
	equal("cancelled", code(run(db, endless)), "57014")
	equal("goes on", one(db, "SELECT 1"), 1)
}

func notifications(db *pgx.Conn) {
	must(run(db, "LISTEN bell"))
	must(run(open(""), "NOTIFY bell, 'ding'"))
	limited, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	heard, err := db.WaitForNotification(limited)
	must(err)
	equal("notification", heard.Payload, "ding")
	must(run(db, "SET TimeZone = 'Asia/Tokyo'"))
	equal("reported", db.PgConn().ParameterStatus("TimeZone"), "Asia/Tokyo")
	must(run(db, "DISCARD ALL", pgx.QuerySimpleProtocol(true)))
	equal("reset", db.PgConn().ParameterStatus("TimeZone"), "UTC")
}

func main() {
	part("connecting", connecting)
	db := open("")
	part("values", func() { readingAndSending(db) })
	part("prepared", func() { prepared(db) })
	part("transactions", func() { transactions(db) })
	part("batches", func() { batches(db) })
	part("results", func() { results(db) })
	part("cancelling", func() { cancelling(db) })
	part("notifications", func() { notifications(db) })
	done()
}
