package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

type usage struct {
	Code int `json:"code"`
	// Wall time, and CPU time of the command and of everything it waited for; seconds.
	Wall   float64 `json:"wall"`
	User   float64 `json:"user"`
	System float64 `json:"system"`
	// The most memory that one of these processes held; bytes.
	Peak int64 `json:"peak"`
}

// measure runs a command as it would run without us: same streams, same signals, same exit code.
func measure(args []string) {
	if len(args) < 3 || args[1] != "--" {
		fail("measure FILE -- COMMAND …")
	}
	command := exec.Command(args[2], args[3:]...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	started := time.Now()
	if err := command.Start(); err != nil {
		fail(err)
	}
	go func() {
		for each := range signals {
			_ = command.Process.Signal(each)
		}
	}()
	err := command.Wait()
	wall := time.Since(started).Seconds()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		fail(err)
	}
	state := command.ProcessState
	rusage, _ := state.SysUsage().(*syscall.Rusage)
	text, err := json.Marshal(usage{
		Code:   state.ExitCode(),
		Wall:   wall,
		User:   state.UserTime().Seconds(),
		System: state.SystemTime().Seconds(),
		Peak:   rusage.Maxrss * 1024,
	})
	if err != nil {
		fail(err)
	}
	if err := os.WriteFile(args[0], text, 0o600); err != nil {
		fail(err)
	}
	os.Exit(max(0, state.ExitCode()))
}
