import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.spark.sql.SparkSession;

/**
 * Spark with Delta, one question a line: the JSON text of a statement, or `{"keep": NAME, "sql": …}`, whose result is computed once
 * and kept in memory as the temporary view of that name. `{"rows": […]}` or `{"error": …}` out.
 */
public class Sql {
  public static void main(String[] settings) throws Exception {
    // Answers have standard output to themselves; what Spark prints goes to standard error.
    PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.setOut(System.err);
    SparkSession.Builder builder = SparkSession.builder();
    for (String setting : settings) {
      String[] parts = setting.split("=", 2);
      builder = builder.config(parts[0], parts[1]);
    }
    SparkSession spark = builder.getOrCreate();
    ObjectMapper json = new ObjectMapper();
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      ObjectNode answer = json.createObjectNode();
      try {
        var rows = answer.putArray("rows");
        JsonNode question = json.readTree(line);
        if (question.isObject())
          spark.sql(question.get("sql").asText()).localCheckpoint().createOrReplaceTempView(question.get("keep").asText());
        else
          for (String row : spark.sql(question.asText()).toJSON().collectAsList()) rows.add(json.readTree(row));
      } catch (Exception error) {
        answer.removeAll();
        answer.put("error", String.valueOf(error.getMessage()));
      }
      answers.println(json.writeValueAsString(answer));
    }
    spark.stop();
  }
}
