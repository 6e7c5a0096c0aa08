package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

func (h *host) blob(w http.ResponseWriter, r *http.Request, name, digest string) {
	h.lock.RLock()
	var content []byte
	known := false
	if repo := h.repos[name]; repo != nil {
		content, known = repo.blobs[digest]
	}
	h.lock.RUnlock()
	h.count(strings.ToLower(r.Method) + " blob")
	if !known {
		refuse(w, http.StatusNotFound, "BLOB_UNKNOWN")
		return
	}
	w.Header().Set("Docker-Content-Digest", digest)
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		return
	}
	w.Header().Set("Location", fmt.Sprintf("http://%s/%s/%s", h.cdn, name, digest))
	w.WriteHeader(http.StatusTemporaryRedirect)
}

func (h *host) deliver(w http.ResponseWriter, r *http.Request) {
	time.Sleep(h.delay)
	h.count("cdn")
	cut := strings.LastIndexByte(r.URL.Path, '/')
	h.lock.RLock()
	var content []byte
	if repo := h.repos[strings.TrimPrefix(r.URL.Path[:cut], "/")]; repo != nil {
		content = repo.blobs[r.URL.Path[cut+1:]]
	}
	h.lock.RUnlock()
	w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	_, _ = w.Write(content)
}

func (h *host) upload(w http.ResponseWriter, r *http.Request, name, session string, granted scopes) {
	query := r.URL.Query()
	switch r.Method {
	case http.MethodPost:
		mount, from := query.Get("mount"), query.Get("from")
		h.lock.Lock()
		if mount != "" && from != "" && granted.allow(from, "pull") {
			h.counts["mount"]++
			if repo := h.repos[from]; repo != nil {
				if content, ok := repo.blobs[mount]; ok {
					h.repository(name).blobs[mount] = content
					h.lock.Unlock()
					w.Header().Set("Location", "/v2/"+name+"/blobs/"+mount)
					w.Header().Set("Docker-Content-Digest", mount)
					w.WriteHeader(http.StatusCreated)
					return
				}
			}
		} else {
			h.counts["post upload"]++
		}
		h.started++
		session = fmt.Sprint("u", h.started)
		h.uploads[session] = nil
		h.lock.Unlock()
		h.accept(w, name, session, 0)
	case http.MethodPatch:
		h.count("patch upload")
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		h.lock.Lock()
		h.uploads[session] = append(h.uploads[session], body...)
		length := len(h.uploads[session])
		h.lock.Unlock()
		h.accept(w, name, session, length)
	case http.MethodPut:
		h.count("put upload")
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		h.lock.Lock()
		content := append(h.uploads[session], body...)
		delete(h.uploads, session)
		h.lock.Unlock()
		digest := query.Get("digest")
		if digestOf(content) != digest {
			refuse(w, http.StatusBadRequest, "DIGEST_INVALID")
			return
		}
		h.lock.Lock()
		h.repository(name).blobs[digest] = content
		h.lock.Unlock()
		w.Header().Set("Location", "/v2/"+name+"/blobs/"+digest)
		w.Header().Set("Docker-Content-Digest", digest)
		w.WriteHeader(http.StatusCreated)
	case http.MethodDelete:
		h.count("delete upload")
		h.lock.Lock()
		delete(h.uploads, session)
		h.lock.Unlock()
		w.WriteHeader(http.StatusNoContent)
	default:
		refuse(w, http.StatusMethodNotAllowed, "UNSUPPORTED")
	}
}

func (h *host) accept(w http.ResponseWriter, name, session string, length int) {
	w.Header().Set("Location", "/v2/"+name+"/blobs/uploads/"+session)
	w.Header().Set("Docker-Upload-UUID", session)
	w.Header().Set("Range", fmt.Sprintf("0-%d", max(0, length-1)))
	w.WriteHeader(http.StatusAccepted)
}
