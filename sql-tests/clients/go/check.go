package main

import (
	"fmt"
	"os"
	"strings"
)

// Runs until it is cancelled.
const endless = "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b"

// A value of the list that all clients share.
type value struct{ name, kind, sql, text string }

var count, failures int

func values() []value {
	text, err := os.ReadFile(os.Getenv("CLIENTS_VALUES"))
	must(err)
	var list []value
	for _, line := range strings.Split(string(text), "\n") {
		if fields := strings.Split(line, "\t"); len(fields) == 4 {
			list = append(list, value{fields[0], fields[1], fields[2], fields[3]})
		}
	}
	return list
}

// Compares what is printed of two things.
func equal(name string, got, expected interface{}) {
	count++
	if fmt.Sprint(got) != fmt.Sprint(expected) {
		failures++
		fmt.Println(strings.ReplaceAll(fmt.Sprintf("FAIL %s: %v instead of %v", name, got, expected), "\n", " "))
	}
}

// What breaks off a part of the session.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// One subject of the session. That it breaks off is a failure, and the next one follows.
func part(name string, run func()) {
	defer func() {
		if err := recover(); err != nil {
			equal(name, err, "no error")
		}
	}()
	run()
}

func done() { fmt.Printf("checks %d, failures %d\n", count, failures) }
