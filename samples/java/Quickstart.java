import io.recore.Dataset;
import io.recore.Model;
import io.recore.Rec;
import io.recore.RecommenderOptions;
import io.recore.Scored;
import io.recore.Split;
import io.recore.TrainOptions;
import java.nio.file.Path;

/** Trains BPR-MF, saves it, loads the file again and recommends: java -cp recore.jar Quickstart.java DATA MODEL.rec */
public final class Quickstart {
  public static void main(String[] args) {
    if (args.length != 2) {
      System.err.println("usage: java -cp recore.jar Quickstart.java DATA MODEL.rec");
      System.exit(2);
    }
    Path path = Path.of(args[1]);
    TrainOptions options = TrainOptions.of("bprmf").set("epochs", 30).set("batch_size", 512).set("lr", 0.005).onEpoch(event -> {
      if (event.epoch() % 10 == 0) {
        System.out.printf("epoch %3d  loss %.4f  ndcg@20 %.4f%n", event.epoch(), event.loss(), event.metrics().get("ndcg@20"));
      }
      return true;
    });
    try (Dataset data = Dataset.load(Path.of(args[0])); Dataset split = data.split(Split.ratio(0.8, 0.1, 0.1).seed(1));
        Model trained = Rec.train(split, options)) {
      System.out.println(trained.evaluate(split, "recall@20,ndcg@20"));
      trained.save(path);
    }
    try (Model model = Model.load(path); var recommender = model.recommender(new RecommenderOptions().excludeSeen())) {
      String user = model.userIds().string(0);
      for (Scored<String> answer : recommender.recommend(user, 5)) {
        System.out.printf("%s: item %s  %.4f  %s%n", user, answer.item(), answer.score(), model.title(answer.item()));
      }
    }
  }
}
