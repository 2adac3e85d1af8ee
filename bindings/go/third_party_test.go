package recore_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"recore"
)

func TestAThirdPartyModelTrainsWhereItsRuntimeMayBe(t *testing.T) {
	check(t, recore.LoadPlugin(filepath.Join(os.Getenv("REC_BUILD_FOLDER"), "lib", "recore", "third_party")))
	samples := []string{"fism"}
	if os.Getenv("REC_WITH_TORCH") == "1" {
		samples = append(samples, "simplex")
	}
	for _, name := range samples {
		model := train(t, orchard(t), name, recore.Epochs(2), recore.Set("emb_size", 8), recore.Set("batch_size", 1024))
		recommender := ends(t, must(model.Recommender(recore.ExcludeSeen()))(t))
		if items := must(recommender.Recommend(recore.IDOf("u0061"), 5))(t); len(items) != 5 {
			t.Errorf("%s: %v", name, items)
		}
		maps := string(must(os.ReadFile("/proc/self/maps"))(t))
		if isHere := strings.Contains(maps, "librecore_"+name+".so"); isHere != (name == "fism") {
			t.Errorf("%s is in this process: %v", name, isHere)
		}
	}
}
