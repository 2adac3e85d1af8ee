package io.recore;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ThirdPartyTest {
  @Test
  void aThirdPartyModelTrainsWhereItsRuntimeMayBe() throws Exception {
    Rec.loadPlugin(Path.of(System.getProperty("recore.library.path"), "recore", "third_party"));
    for (String name : Boolean.getBoolean("recore.test.torch") ? List.of("fism", "simplex") : List.of("fism")) {
      TrainOptions options = TrainOptions.of(name).set("epochs", 2).set("emb_size", 8).set("batch_size", 1024);
      try (Model model = Rec.train(Fixture.orchard, options);
          Recommender recommender = model.recommender(new RecommenderOptions().excludeSeen())) {
        assertEquals(5, recommender.recommend("u0061", 5).size(), name);
      }
      boolean isHere = Files.readString(Path.of("/proc/self/maps")).contains("librecore_" + name + ".so");
      assertEquals(name.equals("fism"), isHere, name);
    }
  }
}
