// A session of lib/pq by database/sql, which prepares whatever has parameters.
package main

import (
	"context"
	"database/sql"
	"os"
	"time"

	"github.com/lib/pq"
)

func code(err error) string {
	if err, ok := err.(*pq.Error); ok {
		return string(err.Code) + " " + err.Position
	}
	if err != nil {
		return err.Error()
	}
	return "no error"
}

func one(db *sql.Conn, query string, arguments ...interface{}) interface{} {
	var got interface{}
	must(db.QueryRowContext(context.Background(), query, arguments...).Scan(&got))
	if bytes, ok := got.([]byte); ok {
		return string(bytes)
	}
	return got
}

func run(db *sql.Conn, query string, arguments ...interface{}) error {
	_, err := db.ExecContext(context.Background(), query, arguments...)
	return err
}

func open(options string) *sql.Conn {
	database, err := sql.Open("postgres", options)
	must(err)
	database.SetMaxOpenConns(1)
	connection, err := database.Conn(context.Background())
	must(err)
	return connection
}

func connecting() {
	database, err := sql.Open("postgres", "password=wrong")
	must(err)
	equal("wrong password", code(database.Ping()), "28P01 ")
	socket := open("sslmode=disable host=" + os.Getenv("CLIENTS_SOCKET"))
	equal("Unix socket", one(socket, "SELECT current_user::text"), "clients")
	equal("settings", one(open("statement_timeout=12000 application_name=go"), "SHOW statement_timeout"), "12s")
	equal("binary", one(open("binary_parameters=yes"), "SELECT $1::bytea = '\\x00ff'", []byte{0, 255}), true)
}

func readingAndSending(db *sql.Conn) {
	for _, value := range values() {
		part(value.name, func() {
			equal(value.name+", text", one(db, "SELECT format('%s', "+value.sql+")"), value.text)
			equal(value.name+", sent as text", one(db, "SELECT format('%s', $1::text::"+value.kind+")", value.text), value.text)
			equal("NULL of "+value.kind, one(db, "SELECT $1::"+value.kind, nil), nil)
		})
	}
	when := time.Date(2024, 7, 1, 12, 0, 0, 123456000, time.UTC)
	equal("time", one(db, "SELECT $1::timestamptz", when).(time.Time).UTC(), when)
	equal("bytes", one(db, "SELECT $1::bytea", []byte{0, 255}), "\x00\xff")
	equal("array", one(db, "SELECT $1::text[]", pq.Array([]string{"a", "\"b\""})), `{a,"\"b\""}`)
	equal("limit", one(db, "SELECT count(*) FROM (SELECT generate_series(1, 10) LIMIT $1) AS s", 3), 3)
}

func prepared(db *sql.Conn) {
	statement, err := db.PrepareContext(context.Background(), "SELECT $1::int * 2, upper($2)")
	must(err)
	for number := 0; number < 15; number++ {
		var twice int
		var upper string
		must(statement.QueryRow(number, "ü").Scan(&twice, &upper))
		equal("prepared", []interface{}{twice, upper}, []interface{}{number * 2, "Ü"})
	}
	must(statement.Close())
	equal("table", code(run(db, "SELECT *  FROM nowhere")), "42P01 16")
	equal("division", code(run(db, "SELECT 1 / $1::int", 0)), "22012 ")
	equal("lives on", one(db, "SELECT 1"), 1)
}

func transactions(db *sql.Conn) {
	must(run(db, "CREATE TEMP TABLE rows (id int, t text)"))
	transaction, err := db.BeginTx(context.Background(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
	must(err)
	_, err = transaction.Exec("INSERT INTO rows VALUES ($1, 'a')", 1)
	must(err)
	must(transaction.Commit())
	transaction, err = db.BeginTx(context.Background(), nil)
	must(err)
	copying, err := transaction.Prepare(pq.CopyIn("rows", "id", "t"))
	must(err)
	for number := 2; number <= 100; number++ {
		_, err = copying.Exec(number, "t")
		must(err)
	}
	_, err = copying.Exec()
	must(err)
	must(copying.Close())
	must(transaction.Commit())
	transaction, err = db.BeginTx(context.Background(), nil)
	must(err)
	_, err = transaction.Exec("SELECT 1 / 0")
	equal("fails", code(err), "22012 ")
	_, err = transaction.Exec("SELECT 1")
	equal("refused", code(err), "25P02 ")
	must(transaction.Rollback())
	equal("rows", one(db, "SELECT sum(id) FROM rows"), 5050)
	rows, err := db.QueryContext(context.Background(), "SELECT 1; SELECT 2")
	must(err)
	for rows.Next() {
	}
	equal("several", rows.NextResultSet(), true)
	must(rows.Close())
}

func results(db *sql.Conn) {
	rows, err := db.QueryContext(context.Background(), "SELECT i, repeat('x', 100) FROM generate_series(1, 100000) AS s(i)")
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

func cancelling(db *sql.Conn) {
	limited, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	_, err := db.ExecContext(limited, endless)
	equal("cancelled", code(err), "57014 ")
	db = open("statement_timeout=100")
	equal("timeout", code(run(db, endless)), "57014 ")
	equal("goes on", one(db, "SELECT 1"), 1)
}

func notifications(db *sql.Conn) {
	listener := pq.NewListener("", time.Second, time.Second, nil)
	must(listener.Listen("bell"))
	must(listener.Ping())
	must(run(db, "SELECT pg_notify('bell', 'ding')"))
	select {
	case heard := <-listener.Notify:
		equal("notification", heard.Extra, "ding")
	case <-time.After(10 * time.Second):
		equal("notification", "nothing", "ding")
	}
	must(listener.Close())
	must(run(db, "SET TimeZone = 'Asia/Tokyo'"))
	must(run(db, "DISCARD ALL"))
	equal("reset", one(db, "SHOW TimeZone"), "UTC")
}

func main() {
	part("connecting", connecting)
	db := open("")
	part("values", func() { readingAndSending(db) })
	part("prepared", func() { prepared(db) })
	part("transactions", func() { transactions(db) })
	part("results", func() { results(db) })
	part("notifications", func() { notifications(db) })
	part("cancelling", func() { cancelling(db) })
	done()
}
