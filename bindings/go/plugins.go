package recore

import (
	"encoding/json"
	"os"

	"recore/internal/crec"
)

// Plugin is a model that was found. Error says why its file is refused, or is "".
type Plugin struct {
	Name, Version, Path, Doc, Error string
}

// Plugins lists every model found.
func Plugins() ([]Plugin, error) {
	var list string
	if err := crec.RecPluginList(&list); err != nil {
		return nil, failed(err)
	}
	var plugins []Plugin
	return plugins, json.Unmarshal([]byte(list), &plugins)
}

// PluginInfo is one model with its parameters; JSON has everything that the library reports.
type PluginInfo struct {
	Name, Version, Doc, Paper string
	Capabilities              []string
	Parameters                []Parameter
	JSON                      json.RawMessage `json:"-"`
}

// Parameter of a model, or of the training loop when its Owner is "core".
type Parameter struct {
	Name, Type, Doc, Owner string
	Default, Min, Max      any
	Choices                []any
}

// DescribePlugin describes one model; ErrNotFound names the nearest.
func DescribePlugin(model string) (*PluginInfo, error) {
	if err := text("model", model); err != nil {
		return nil, err
	}
	var described string
	if err := crec.RecPluginDescribe(model, &described); err != nil {
		return nil, failed(err)
	}
	info := &PluginInfo{JSON: json.RawMessage(described)}
	return info, json.Unmarshal(info.JSON, info)
}

// LoadPlugin loads one plugin file, or searches a folder before the others. A plugin is never unloaded. Fails with
// ErrNotFound, ErrDenied (world-writable), ErrABIMismatch, ErrUnsupported, ErrPluginFailed.
func LoadPlugin(path string) error {
	if err := text("path", path); err != nil {
		return err
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return failed(crec.RecPluginAddFolder(path))
	}
	return failed(crec.RecPluginLoad(path))
}

// LiveObjects counts objects of the library that are not closed yet, by kind, for finding leaks: "model", "dataset", ...
func LiveObjects() (map[string]int64, error) {
	counts := map[string]int64{}
	for i, name := range []string{"error", "text", "cancel", "dataset", "trainer", "model", "report", "recommender", "tuner"} {
		var n int64
		if err := crec.RecLiveObjects(crec.REC_OBJECT_ERROR+i, &n); err != nil {
			return nil, failed(err)
		}
		counts[name] = n
	}
	return counts, nil
}
