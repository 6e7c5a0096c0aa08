package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

type manifest struct {
	mediaType string
	body      []byte
}

type repository struct {
	tags      map[string]string
	manifests map[string]manifest
	blobs     map[string][]byte
}

// A registry on a port, and the port that it sends readers of blobs to.
type host struct {
	address string
	cdn     string
	delay   time.Duration
	lock    sync.RWMutex
	repos   map[string]*repository
	uploads map[string][]byte
	counts  map[string]int
	started int
}

func (h *host) repository(name string) *repository {
	repo := h.repos[name]
	if repo == nil {
		repo = &repository{map[string]string{}, map[string]manifest{}, map[string][]byte{}}
		h.repos[name] = repo
	}
	return repo
}

// serve prints one line of JSON with the addresses, and serves until its input ends.
func serve(args []string) {
	flags := flag.NewFlagSet("registry", flag.ExitOnError)
	var s shape
	flags.IntVar(&s.repositories, "repositories", 50, "repositories of the source")
	flags.IntVar(&s.tags, "tags", 20, "tags of each")
	flags.IntVar(&s.platforms, "platforms", 2, "platforms of each image")
	flags.IntVar(&s.layers, "layers", 2, "layers of each platform")
	flags.IntVar(&s.size, "size", 1000, "bytes of a layer")
	copied := flags.Bool("copied", false, "the destination has everything already")
	delay := flags.Duration("delay", 20*time.Millisecond, "before each answer")
	_ = flags.Parse(args)

	source := newHost(*delay)
	s.fill(source)
	destination := newHost(*delay)
	empty := func() {
		destination.lock.Lock()
		defer destination.lock.Unlock()
		destination.repos, destination.uploads = map[string]*repository{}, map[string][]byte{}
		if *copied {
			s.fill(destination)
		}
	}
	empty()

	control := http.NewServeMux()
	control.HandleFunc("/stats", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"source": source.stats(), "destination": destination.stats()})
	})
	control.HandleFunc("/reset", func(w http.ResponseWriter, _ *http.Request) {
		empty()
		source.forget()
		destination.forget()
	})
	address := listen(control, nil)
	_ = json.NewEncoder(os.Stdout).Encode(map[string]string{
		"source": source.address, "destination": destination.address, "control": address,
	})
	// Whoever started us is gone when this ends, however it ended.
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func newHost(delay time.Duration) *host {
	h := &host{delay: delay, repos: map[string]*repository{}, uploads: map[string][]byte{}, counts: map[string]int{}}
	h.address = listen(http.HandlerFunc(h.answer), func() { h.count("connection") })
	h.cdn = listen(http.HandlerFunc(h.deliver), func() { h.count("connection") })
	return h
}

func listen(handler http.Handler, connected func()) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail(err)
	}
	server := &http.Server{Handler: handler, ConnState: func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew && connected != nil {
			connected()
		}
	}}
	go func() { fail(server.Serve(listener)) }()
	return listener.Addr().String()
}

func (h *host) count(kind string) {
	h.lock.Lock()
	h.counts[kind]++
	h.lock.Unlock()
}

func (h *host) stats() map[string]int {
	h.lock.RLock()
	defer h.lock.RUnlock()
	copied := map[string]int{}
	for kind, count := range h.counts {
		copied[kind] = count
	}
	return copied
}

func (h *host) forget() {
	h.lock.Lock()
	h.counts = map[string]int{}
	h.lock.Unlock()
}

var route = regexp.MustCompile(`^/v2/(.+)/(manifests|blobs/uploads|blobs|tags|referrers)/([^/]*)$`)

func (h *host) answer(w http.ResponseWriter, r *http.Request) {
	time.Sleep(h.delay)
	if r.URL.Path == "/token" {
		h.token(w, r)
		return
	}
	found := route.FindStringSubmatch(r.URL.Path)
	name, actions := "", "pull"
	if found != nil {
		name = found[1]
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			actions = "pull,push"
		}
	}
	granted := scopesOf(r)
	if granted == nil || (name != "" && !granted.allow(name, actions)) {
		h.count("401")
		challenge := fmt.Sprintf(`Bearer realm="http://%s/token",service="bench"`, h.address)
		if name != "" {
			challenge += fmt.Sprintf(`,scope="repository:%s:%s"`, name, actions)
		}
		w.Header().Set("WWW-Authenticate", challenge)
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED")
		return
	}
	if found == nil {
		h.count("ping")
		w.WriteHeader(http.StatusOK)
		return
	}
	switch last := found[3]; found[2] {
	case "manifests":
		h.manifest(w, r, name, last)
	case "blobs":
		h.blob(w, r, name, last)
	case "blobs/uploads":
		h.upload(w, r, name, last, granted)
	case "referrers":
		h.count("referrers")
		w.Header().Set("Content-Type", indexType)
		fmt.Fprintf(w, `{"schemaVersion":2,"mediaType":%q,"manifests":[]}`, indexType)
	case "tags":
		h.count("tags")
		h.lock.RLock()
		tags := []string{}
		for tag := range h.repository(name).tags {
			tags = append(tags, tag)
		}
		h.lock.RUnlock()
		slices.Sort(tags)
		_ = json.NewEncoder(w).Encode(map[string]any{"name": name, "tags": tags})
	}
}

func (h *host) manifest(w http.ResponseWriter, r *http.Request, name, reference string) {
	switch r.Method {
	case http.MethodHead, http.MethodGet:
		h.count(strings.ToLower(r.Method) + " manifest")
		h.lock.RLock()
		repo := h.repos[name]
		var content manifest
		known := false
		digest := reference
		if repo != nil {
			if named, ok := repo.tags[reference]; ok {
				digest = named
			}
			content, known = repo.manifests[digest]
		}
		h.lock.RUnlock()
		if !known {
			refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN")
			return
		}
		w.Header().Set("Content-Type", content.mediaType)
		w.Header().Set("Docker-Content-Digest", digest)
		w.Header().Set("Content-Length", fmt.Sprint(len(content.body)))
		if r.Method == http.MethodGet {
			_, _ = w.Write(content.body)
		}
	case http.MethodPut:
		h.count("put manifest")
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		digest := digestOf(body)
		h.lock.Lock()
		repo := h.repository(name)
		whole := complete(repo, body) && (!strings.HasPrefix(reference, "sha256:") || reference == digest)
		if whole {
			repo.manifests[digest] = manifest{r.Header.Get("Content-Type"), body}
			if reference != digest {
				repo.tags[reference] = digest
			}
		}
		h.lock.Unlock()
		if !whole {
			refuse(w, http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN")
			return
		}
		w.Header().Set("Docker-Content-Digest", digest)
		w.Header().Set("Location", "/v2/"+name+"/manifests/"+digest)
		w.WriteHeader(http.StatusCreated)
	default:
		refuse(w, http.StatusMethodNotAllowed, "UNSUPPORTED")
	}
}

// complete says whether everything that a manifest names is there, as real registries demand.
func complete(repo *repository, body []byte) bool {
	var content struct {
		Config    *descriptor
		Layers    []descriptor
		Manifests []descriptor
	}
	if json.Unmarshal(body, &content) != nil {
		return false
	}
	for _, child := range content.Manifests {
		if _, ok := repo.manifests[child.Digest]; !ok {
			return false
		}
	}
	if content.Config != nil {
		content.Layers = append(content.Layers, *content.Config)
	}
	for _, layer := range content.Layers {
		if _, ok := repo.blobs[layer.Digest]; !ok {
			return false
		}
	}
	return true
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"errors":[{"code":%q,"message":%q}]}`, code, http.StatusText(status))
}
