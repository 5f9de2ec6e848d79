// SPDX-License-Identifier: Apache-2.0

// Gen writes what a benchmark of N packages works on:
//
//	OUT/repository/…       a package repository: each package is a namespace, five ConfigMaps, a Deployment, a Service
//	OUT/floor.jsonl        the same objects as requests of server-side apply
//	OUT/packages.jsonl     a PackageManifest for each package, as POST requests
//
// A fifth of the packages stand in chains of five, each of which depends on the one before it.
package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"davit.dev/test/bench/internal/api"
)

const (
	version     = "v1.0.0"
	chainLength = 5
	configMaps  = 5
	dataBytes   = 300 // of each ConfigMap

	settingBytes = 60
)

type object = map[string]any

// pkg is one package of the benchmark.
type pkg struct {
	name, dependsOn string
	order           float64 // in which the PackageManifests are posted
}

func main() {
	count := flag.Int("packages", 100, "how many packages")
	out := flag.String("out", "", "folder to write into")
	namespace := flag.String("namespace", "davit-system", "namespace of the PackageManifests")
	interval := flag.String("interval", "1m", "their spec.interval")
	flag.Parse()
	if err := run(*count, *out, *namespace, *interval); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(count int, out, namespace, interval string) error {
	if count < 1 || count > 9999 || out == "" {
		return errors.New("--packages is from 1 to 9999, and --out is needed")
	}
	all := packages(count)
	repository := filepath.Join(out, "repository")
	if err := writeRepository(repository, all); err != nil {
		return err
	}
	var floor []api.Request
	for _, p := range all {
		for _, o := range p.objects() {
			floor = append(floor, apply(o))
		}
	}
	if err := writeLines(filepath.Join(out, "floor.jsonl"), floor); err != nil {
		return err
	}
	// Dependencies are posted well before what needs them: otherwise the operator would create some by itself.
	sort.SliceStable(all, func(i, j int) bool { return all[i].order < all[j].order })
	var posts []api.Request
	for _, p := range all {
		posts = append(posts, api.Request{
			Method: "POST", Path: "/apis/davit.dev/v1alpha1/namespaces/" + namespace + "/packagemanifests", Type: "application/json",
			Body: encode(object{
				"apiVersion": "davit.dev/v1alpha1", "kind": "PackageManifest", "metadata": object{"name": p.name, "namespace": namespace},
				"spec": object{"version": ">=1.0.0 <2.0.0", "interval": interval},
			}),
		})
	}
	return writeLines(filepath.Join(out, "packages.jsonl"), posts)
}

// packages makes the chains first, then those that stand alone. The nth members of all chains are posted in the nth fifth.
func packages(count int) []pkg {
	chains := count / 5 / chainLength
	alone := count - chains*chainLength
	var all []pkg
	for i := range count {
		p := pkg{name: fmt.Sprintf("p%04d", i+1)}
		if chain, member := i/chainLength, i%chainLength; chain < chains {
			p.order = (float64(member) + (float64(chain)+0.5)/float64(chains)) / chainLength
			if member > 0 {
				p.dependsOn = fmt.Sprintf("p%04d", i)
			}
		} else {
			p.order = float64(i-chains*chainLength) / float64(alone)
		}
		all = append(all, p)
	}
	return all
}

func (p pkg) metadata(name string) object { return object{"name": name, "namespace": p.name} }

func (p pkg) objects() []object {
	labels := object{"app": p.name}
	objects := []object{{"apiVersion": "v1", "kind": "Namespace", "metadata": object{"name": p.name}}}
	for i := range configMaps {
		data := object{}
		for key := range dataBytes / settingBytes {
			name := fmt.Sprintf("setting-%d", key)
			data[name] = setting(p.name, i, name)
		}
		objects = append(objects, object{
			"apiVersion": "v1", "kind": "ConfigMap", "metadata": p.metadata(fmt.Sprintf("config-%d", i+1)), "data": data,
		})
	}
	container := object{
		"name": "main", "image": "example.davit.dev/" + p.name + ":1.0.0", "ports": []any{object{"name": "http", "containerPort": 8080}},
		"resources": object{"requests": object{"cpu": "100m", "memory": "32Mi"}},
	}
	return append(objects,
		object{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": p.metadata("app"), "spec": object{
			"replicas": 0, "selector": object{"matchLabels": labels},
			"template": object{"metadata": object{"labels": labels}, "spec": object{"containers": []any{container}}},
		}},
		object{"apiVersion": "v1", "kind": "Service", "metadata": p.metadata("app"), "spec": object{
			"selector": labels, "ports": []any{object{"name": "http", "port": 80, "targetPort": "http"}},
		}})
}

// setting is a text that differs from all others, so that nothing is gained by packing it.
func setting(words ...any) string {
	sum := sha256.Sum256(fmt.Append(nil, words...))
	return hex.EncodeToString(sum[:])[:settingBytes]
}

// apply is the request that applies an object.
func apply(o object) api.Request {
	metadata := o["metadata"].(object)
	path := "/api/v1"
	if o["apiVersion"] != "v1" {
		path = "/apis/" + o["apiVersion"].(string)
	}
	if namespace, there := metadata["namespace"]; there {
		path += "/namespaces/" + namespace.(string)
	}
	path += "/" + strings.ToLower(o["kind"].(string)) + "s/" + metadata["name"].(string)
	return api.Request{
		Method: "PATCH", Path: path + "?fieldManager=bench-floor&force=true", Type: "application/apply-patch+yaml", Body: encode(o),
	}
}

func writeRepository(folder string, all []pkg) error {
	var index []any
	for _, p := range all {
		index = append(index, object{"name": p.name, "latestVersion": version, "scope": "Cluster", "shortDescription": "Package " + p.name + " of the benchmark"})
		dir := filepath.Join(folder, p.name, version)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		about := object{
			"name": p.name, "scope": "Cluster", "defaultNamespace": p.name, "shortDescription": "Package " + p.name + " of the benchmark",
			"manifests": []any{object{"url": "manifest.yaml"}},
		}
		if p.dependsOn != "" {
			about["dependencies"] = []any{object{"name": p.dependsOn, "version": ">=1.0.0 <2.0.0"}}
		}
		var manifest strings.Builder
		for _, o := range p.objects() {
			manifest.WriteString("---\n" + yaml(o))
		}
		versions := object{"latestVersion": version, "versions": []any{object{"version": version}}}
		err := errors.Join(os.WriteFile(filepath.Join(dir, "package.yaml"), []byte(yaml(about)), 0o644),
			os.WriteFile(filepath.Join(dir, "manifest.yaml"), []byte(manifest.String()), 0o644),
			os.WriteFile(filepath.Join(folder, p.name, "versions.yaml"), []byte(yaml(versions)), 0o644))
		if err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(folder, "index.yaml"), []byte(yaml(object{"packages": index})), 0o644)
}

func writeLines(file string, requests []api.Request) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	for _, r := range requests {
		if err := lines.Encode(r); err != nil {
			return err
		}
	}
	return errors.Join(w.Flush(), f.Close())
}

func encode(value any) json.RawMessage {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		panic(err) // maps, lists, strings and numbers only
	}
	return bytes.TrimSpace(text.Bytes())
}

// yaml prints a map in YAML's block style; strings are quoted as in JSON.
func yaml(o object) string {
	var w strings.Builder
	writeYAML(&w, o, "")
	return w.String()
}

func writeYAML(w *strings.Builder, value any, indent string) {
	switch v := value.(type) {
	case object:
		keys := make([]string, 0, len(v))
		for key := range v {
			keys = append(keys, key)
		}
		sort.Strings(keys)
		for _, key := range keys {
			writeEntry(w, indent+key+":", v[key], indent+"  ")
		}
	case []any:
		for _, item := range v {
			writeEntry(w, indent+"-", item, indent+"  ")
		}
	}
}

func writeEntry(w *strings.Builder, head string, value any, indent string) {
	switch value.(type) {
	case object, []any:
		w.WriteString(head + "\n")
		writeYAML(w, value, indent)
	default:
		w.WriteString(head + " " + string(encode(value)) + "\n")
	}
}
