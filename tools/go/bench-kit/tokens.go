package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// A token is the scopes themselves: what a real one hides in its signature.
type scopes []string

func (h *host) token(w http.ResponseWriter, r *http.Request) {
	h.count("token")
	_ = r.ParseForm()
	token := "t." + url.QueryEscape(strings.Join(r.Form["scope"], " "))
	_ = json.NewEncoder(w).Encode(map[string]any{"token": token, "access_token": token, "expires_in": 300})
}

func scopesOf(r *http.Request) scopes {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer t.")
	if !ok {
		return nil
	}
	text, _ := url.QueryUnescape(token)
	return append(scopes{""}, strings.Fields(text)...)
}

func (s scopes) allow(name, actions string) bool {
	for _, scope := range s {
		given, ok := strings.CutPrefix(scope, "repository:"+name+":")
		if ok && (actions == "pull" && strings.Contains(given, "pull") || strings.Contains(given, "push")) {
			return true
		}
	}
	return false
}
