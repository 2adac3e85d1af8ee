package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// service is the process under load.
type service struct {
	process *exec.Cmd
	folder  string
	address string
	swapped int
}

// start runs the command with a model, and prepares the models that will replace it, so that a swap is only a rename.
func start(command, models []string, nSwaps int) (*service, error) {
	folder, err := os.MkdirTemp("", "load")
	if err != nil {
		return nil, err
	}
	s := &service{folder: folder}
	for i := range nSwaps + 1 {
		model, err := os.ReadFile(models[i%len(models)])
		if err == nil {
			err = os.WriteFile(s.model(i), model, 0o600)
		}
		if err != nil {
			return nil, err
		}
	}
	served := filepath.Join(folder, "model.rec")
	if err := os.Rename(s.model(0), served); err != nil {
		return nil, err
	}
	s.process = exec.Command(command[0], append(command[1:], "--model", served, "--port", "0")...)
	log, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		return nil, err
	}
	s.process.Stderr = log
	out, err := s.process.StdoutPipe()
	if err == nil {
		err = s.process.Start()
	}
	if err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	var said struct{ Port int }
	if err == nil {
		err = json.Unmarshal(line, &said)
	}
	if err != nil {
		return nil, fmt.Errorf("%s did not say its port: %w", command[0], err)
	}
	s.address = fmt.Sprintf("127.0.0.1:%d", said.Port)
	for range 100 {
		if s.status().generation == 1 {
			return s, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	s.stop()
	return nil, errors.New("the service has no model")
}

func (s *service) model(i int) string { return filepath.Join(s.folder, fmt.Sprintf("%d.rec", i)) }

// swap puts the next model in place.
func (s *service) swap() {
	if err := os.Rename(s.model(s.swapped+1), filepath.Join(s.folder, "model.rec")); err == nil {
		s.swapped++
	}
}

func (s *service) stop() {
	_ = s.process.Process.Signal(syscall.SIGTERM)
	if err := s.process.Wait(); err != nil {
		fmt.Println("the service ended with", err)
	}
	os.RemoveAll(s.folder)
}

// status is what /metrics and the system report.
type status struct {
	generation, open, refused, threads int
	mebibytes                          float64
}

func (s *service) status() (st status) {
	text := ""
	if answer, err := http.Get("http://" + s.address + "/metrics"); err == nil {
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		text = string(body)
	}
	system, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.Process.Pid))
	kibibytes := 0
	for line := range strings.Lines(text + string(system)) {
		for name, value := range map[string]*int{"recore_model_generation": &st.generation, "recore_models_open": &st.open,
			"recore_model_load_failures_total": &st.refused, "Threads:": &st.threads, "VmRSS:": &kibibytes} {
			if rest, ok := strings.CutPrefix(line, name); ok {
				fmt.Sscan(rest, value)
			}
		}
	}
	st.mebibytes = float64(kibibytes) / 1024
	return st
}
