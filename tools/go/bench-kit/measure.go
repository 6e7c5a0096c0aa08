package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type usage struct {
	Code int `json:"code"`
	// Wall time, and CPU time of the command and of everything it waited for; seconds.
	Wall   float64 `json:"wall"`
	User   float64 `json:"user"`
	System float64 `json:"system"`
	// Of these, what the command's own process took, with all its threads: what it started and waited for is the rest.
	Own float64 `json:"own"`
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
	own := ownTime(command.Process.Pid)
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
		Own:    own,
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

const (
	pPid    = 1          // P_PID of waitid(2)
	wExited = 4          // WEXITED
	wNoWait = 0x01000000 // WNOWAIT
	// USER_HZ, which Linux shows times in, whatever it counts in itself; a second has as many ticks.
	ticks = 100
)

// ownTime waits for the end of a process and leaves it to be waited for: until then the kernel tells its time apart from its
// children's. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
func ownTime(pid int) float64 {
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, pPid, uintptr(pid), 0, wExited|wNoWait, 0, 0)
		if errno == 0 {
			break
		}
		if errno != syscall.EINTR {
			fail(errno)
		}
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		fail(err)
	}
	// The name before the last bracket may hold anything; the state is the first field behind it, utime and stime are 14 and 15.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	sum := 0.0
	for _, field := range fields[11:13] {
		value, err := strconv.ParseFloat(field, 64)
		if err != nil {
			fail(err)
		}
		sum += value
	}
	return sum / ticks
}
