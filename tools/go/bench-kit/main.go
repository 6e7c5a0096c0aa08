// bench-kit is what the benchmarks need besides the programs they compare.
//
//	bench-kit registry -images 20 -tags 50 …   a pair of registries in memory that count their requests
//	bench-kit measure FILE -- COMMAND …        runs a command, and writes what it used to FILE
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) < 2 {
		fail("say what to do: registry or measure")
	}
	switch os.Args[1] {
	case "registry":
		serve(os.Args[2:])
	case "measure":
		measure(os.Args[2:])
	default:
		fail("there is no " + os.Args[1])
	}
}

func fail(message any) {
	fmt.Fprintln(os.Stderr, "bench-kit:", message)
	os.Exit(1)
}
