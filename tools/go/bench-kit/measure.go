package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

type usage struct {
	Code int `json:"code"`
	// Wall time, and CPU time of the command and of everything that came of it; seconds.
	Wall   float64 `json:"wall"`
	User   float64 `json:"user"`
	System float64 `json:"system"`
	// Of these, what the command's own process took, with all its threads, and the one by which it starts others: what it started
	// is the rest.
	Own float64 `json:"own"`
	// The most memory that one of these processes held; bytes.
	Peak int64 `json:"peak"`
}

// measure runs a command as it would run without us: same streams, same signals, same exit code.
func measure(args []string) {
	if len(args) < 3 || args[1] != "--" {
		fail("measure FILE -- COMMAND …")
	}
	adopt()
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
	helper := make(chan float64)
	done := make(chan struct{})
	go func() { helper <- watchStarter(command.Process.Pid, done) }()
	own, status := wait(command.Process.Pid)
	wall := time.Since(started).Seconds()
	close(done)
	own += <-helper
	sweep()
	var all syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &all); err != nil {
		fail(err)
	}
	code := status.ExitStatus()
	if status.Signaled() {
		code = 128 + int(status.Signal())
	}
	text, err := json.Marshal(usage{
		Code:   code,
		Wall:   wall,
		User:   seconds(all.Utime),
		System: seconds(all.Stime),
		Own:    own,
		Peak:   all.Maxrss * 1024,
	})
	if err != nil {
		fail(err)
	}
	if err := os.WriteFile(args[0], text, 0o600); err != nil {
		fail(err)
	}
	os.Exit(code)
}

func seconds(value syscall.Timeval) float64 {
	return float64(value.Sec) + float64(value.Usec)/1e6
}

// adopt makes processes ours whose parent ends without waiting for them, as bwrap does: their time counts too.
func adopt() {
	const setChildSubreaper = 36
	if _, _, errno := syscall.Syscall(syscall.SYS_PRCTL, setChildSubreaper, 1, 0); errno != 0 {
		fail(errno)
	}
}

// wait takes in everything that ends until the command itself does, and answers with the time of its own process.
func wait(command int) (own float64, status syscall.WaitStatus) {
	for {
		pid := nextEnded()
		if pid == command {
			var err error
			if own, err = ownTime(pid); err != nil {
				fail(err)
			}
		}
		if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil {
			fail(err)
		}
		if pid == command {
			return own, status
		}
	}
}

// nextEnded waits for the end of a child, and leaves it to be waited for.
func nextEnded() int {
	const (
		all    = 0          // P_ALL of waitid(2)
		exited = 4          // WEXITED
		noWait = 0x01000000 // WNOWAIT
	)
	// A siginfo_t, whose si_pid is behind three numbers and what aligns it.
	var info [32]int32
	for {
		_, _, errno := syscall.Syscall6(
			syscall.SYS_WAITID, all, 0, uintptr(unsafe.Pointer(&info)), exited|noWait, 0, 0)
		if errno == 0 {
			return int(info[4])
		}
		if errno != syscall.EINTR {
			fail(errno)
		}
	}
}

// sweep takes in those that end with the command, or a moment after it; what runs on is left alone.
func sweep() {
	for until := time.Now().Add(200 * time.Millisecond); ; {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		switch {
		case err == syscall.EINTR || pid > 0:
		case err != nil || time.Now().After(until):
			return
		default:
			time.Sleep(2 * time.Millisecond)
		}
	}
}

// watchStarter answers with the time of Slipway's process that starts tools, as it was seen last: it ends before the command does,
// and its time is then a part of what the kernel counts for the command's children.
func watchStarter(command int, done <-chan struct{}) float64 {
	times := map[int]float64{}
	for {
		select {
		case <-done:
			sum := 0.0
			for _, each := range times {
				sum += each
			}
			return sum
		case <-time.After(20 * time.Millisecond):
		}
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", command, command))
		for _, field := range strings.Fields(string(text)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				continue
			}
			name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
			if !strings.HasPrefix(string(name), "slipway-starter") {
				continue
			}
			if used, err := ownTime(pid); err == nil {
				times[pid] = used
			}
		}
	}
}

// ownTime is the time of a process without that of its children, which the kernel tells apart until somebody waits for it:
// https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
func ownTime(pid int) (float64, error) {
	// In ticks of a hundredth of a second, whatever the kernel counts in itself.
	const ticks = 100
	bytes, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	text := string(bytes)
	// The name in brackets may hold anything. The first field behind it is the third, utime and stime are 14 and 15.
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	sum := 0.0
	for _, field := range fields[11:13] {
		value, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return 0, err
		}
		sum += value
	}
	return sum / ticks, nil
}
