// Enqueues welcome mails with JDBC: java -cp /usr/share/java/postgresql.jar Producer.java ADDRESS…

import java.nio.charset.StandardCharsets;
import java.sql.*;
import java.util.stream.Stream;

public class Producer {
    /** Java has no JSON of its own; use a library where there is more to write than this. */
    static String mail(String address) {
        String escaped = address.replaceAll("\\p{Cntrl}", "").replaceAll("[\"\\\\]", "\\\\$0");
        return "{\"to\": \"" + escaped + "\", \"text\": \"Welcome!\"}";
    }

    static Object enqueue(Connection db, String sql, Object... parameters) throws SQLException {
        try (PreparedStatement statement = db.prepareStatement(sql)) {
            for (int n = 0; n < parameters.length; n++) statement.setObject(n + 1, parameters[n]);
            ResultSet answer = statement.executeQuery();
            answer.next();
            return answer.getObject(1);
        }
    }

    public static void main(String[] arguments) throws SQLException {
        String url = System.getenv("PGQUEUER_DSN").replaceFirst( // JDBC wants the user among the parameters.
            "^postgres(?:ql)?://([^:@/]*):?([^@/]*)@([^?]*)\\??(.*)", "jdbc:postgresql://$3?user=$1&password=$2&$4");
        String[] addresses = arguments.length > 0 ? arguments : new String[] {"ada@example.org"};
        String[] mails = Stream.of(addresses).map(Producer::mail).toArray(String[]::new);
        try (Connection db = DriverManager.getConnection(url)) {
            db.setAutoCommit(false); // All of it, or nothing.

            // JDBC sends a String as varchar, which fits the form for text only: so it is told what it is.
            String json = "SELECT pgq.enqueue('welcome', payload_jsonb => ?::jsonb, priority => 5)";
            System.out.println("as JSON, before the others: " + enqueue(db, json, mails[0]));

            // An interval as a String is refused, and of PGInterval("1 s") 0 seconds arrive.
            String bytes = "SELECT pgq.enqueue('welcome', payload_bytes => ?, delay => make_interval(secs => ?))";
            byte[] data = mails[0].getBytes(StandardCharsets.UTF_8);
            System.out.println("as bytes, in a second: " + enqueue(db, bytes, data, 1.0));

            // enqueue_many would want bytes.
            String many = "SELECT pgq.enqueue_many_text(?, ?)";
            Array one = db.createArrayOf("text", new String[] {"welcome"}), all = db.createArrayOf("text", mails);
            System.out.println("all of them, in one call: " + enqueue(db, many, one, all));
            db.commit(); // What is not committed is gone with the connection.
        }
    }
}
