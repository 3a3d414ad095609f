import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.logging.*;

/** KIND FOLDER BYTES SECONDS: logs each line of its stdin with java.util.logging's FileHandler. */
public class JavaUtilLogging {
  public static void main(String[] arguments) throws Exception {
    String pattern = arguments[1] + (arguments[0].equals("between") ? "/app.%g.log" : "/app.log");
    int count = arguments[0].equals("three") ? 3 : 5000;
    FileHandler handler = new FileHandler(pattern, Integer.parseInt(arguments[2]), count);
    handler.setFormatter(new Formatter() {
      @Override public String format(LogRecord record) { return record.getMessage() + "\n"; }
    });
    Logger logger = Logger.getLogger("app");
    logger.setUseParentHandlers(false);
    logger.addHandler(handler);
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = input.readLine()) != null; ) logger.info(line);
    handler.close();
  }
}
