// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"testing"
)

// teapot is a fault that fills in what was left out.
type teapot struct{ Fault }

func (f *teapot) check() error {
	if f.Status == 0 {
		f.Status = 418
	}
	return f.Check([]string{"status", "delay", "cut"})
}

func set(t *testing.T, rules string) *Set[Match, teapot] {
	s := NewSet[Match]((*teapot).check)
	if _, err := s.Add([]byte(rules)); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestMatches(t *testing.T) {
	for _, row := range []struct {
		match string
		want  bool
	}{
		{`{}`, true},
		{`{"method":"get"}`, true},
		{`{"method":"PUT"}`, false},
		{`{"path":"/a/b"}`, true},
		{`{"path":"/a"}`, false},
		{`{"pathPrefix":"/a/"}`, true},
		{`{"pathPrefix":"/b"}`, false},
		{`{"pathRegex":"b.x=[0-9]$"}`, true},
		{`{"pathRegex":"^b"}`, false},
		{`{"userAgent":"ester/"}`, true},
		{`{"userAgent":"other"}`, false},
		{`{"method":"GET","path":"/b"}`, false},
	} {
		var m Match
		if err := json.Unmarshal([]byte(row.match), &m); err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("GET", "/a/b?x=1", nil)
		r.Header.Set("User-Agent", "tester/1")
		if m.Matches(r) != row.want {
			t.Errorf("%s: %v", row.match, !row.want)
		}
	}
}

func TestFiresFromTheNthSoManyTimes(t *testing.T) {
	for _, row := range []struct{ rule, want string }{
		{`{"fault":{"kind":"cut"}}`, "[true false false false false]"},
		{`{"fault":{"kind":"cut"},"match":{"nth":2},"times":2}`, "[false true true false false]"},
		{`{"fault":{"kind":"cut"},"match":{"nth":4},"times":0}`, "[false false false true true]"},
	} {
		s := set(t, row.rule)
		var fired []bool
		for range 5 {
			fired = append(fired, s.Pick(httptest.NewRequest("GET", "/", nil)) != nil)
		}
		if fmt.Sprint(fired) != row.want {
			t.Errorf("%s: %v", row.rule, fired)
		}
	}
}

func TestFirstThatFiresWinsAndAllCount(t *testing.T) {
	s := set(t, `[{"match":{"path":"/other"},"fault":{"kind":"cut"}}, {"fault":{"kind":"cut","ms":1}}, {"fault":{"kind":"cut","ms":2}}]`)
	for _, ms := range []int{1, 2} {
		if f := s.Pick(httptest.NewRequest("GET", "/", nil)); f == nil || f.Ms != ms {
			t.Fatal(f)
		}
	}
	var counts []int
	for _, r := range s.List() {
		counts = append(counts, r.ID, r.Matched, r.Fired)
	}
	if fmt.Sprint(counts) != "[1 0 0 2 2 1 3 2 1]" {
		t.Fatal(counts)
	}
}

func TestRemoves(t *testing.T) {
	s := set(t, `[{"fault":{"kind":"cut"}}, {"fault":{"kind":"cut"}}]`)
	s.Remove(1)
	if left := s.List(); len(left) != 1 || left[0].ID != 2 {
		t.Fatal(left)
	}
	s.Remove(0)
	if left := s.List(); left == nil || len(left) != 0 {
		t.Fatal(left)
	}
	if added, err := s.Add([]byte(`{"fault":{"kind":"cut"}}`)); err != nil || added[0].ID != 3 {
		t.Fatal(added, err)
	}
}

func TestSaysWhatItTook(t *testing.T) {
	s := NewSet[Match]((*teapot).check)
	added, err := s.Add([]byte(`{"id":9,"match":{"pathRegex":"^/a","nth":2},"fault":{"kind":"status"},"times":0,"matched":7,"fired":7}`))
	if err != nil {
		t.Fatal(err)
	}
	all, _ := json.Marshal(added)
	if want := `[{"id":1,"match":{"pathRegex":"^/a","nth":2},"fault":{"kind":"status","status":418},"times":0,"matched":0,"fired":0}]`; string(all) != want {
		t.Fatal(string(all))
	}
}

func TestRefusesWhatItDoesNotKnow(t *testing.T) {
	s := NewSet[Match]((*teapot).check)
	for _, body := range []string{``, `[]`, `[null]`, `{"fault":{"kind":"cut"}`, `{"fault":{"kind":"cut"},"tmes":2}`, `{}`,
		`{"fault":{"kind":"cut","mss":2}}`, `{"match":{"verb":"get"},"fault":{"kind":"cut"}}`, `{"fault":{"kind":"nonsense"}}`,
		`{"match":{"pathRegex":"("},"fault":{"kind":"cut"}}`, `{"fault":{"kind":"delay"}}`, `{"fault":{"kind":"delay","ms":-1}}`,
		`{"fault":{"kind":"status","status":100}}`, `{"fault":{"kind":"cut"},"times":-1}`, `{"match":{"nth":-1},"fault":{"kind":"cut"}}`,
		`[{"fault":{"kind":"cut"}}, {"fault":{"kind":"nonsense"}}]`} {
		if _, err := s.Add([]byte(body)); err == nil {
			t.Errorf("%s is taken", body)
		}
	}
	if left := s.List(); len(left) != 0 {
		t.Fatal(left)
	}
}
