// A worker with JDBC, which has no way to sleep on LISTEN: java -cp /usr/share/java/postgresql.jar Worker.java

import java.sql.*;
import java.util.concurrent.*;

public class Worker {
    static final CountDownLatch stop = new CountDownLatch(1);
    static volatile PreparedStatement waiting;

    static void run(ResultSet mail, PreparedStatement complete, PreparedStatement fail) throws SQLException {
        PreparedStatement end = complete;
        try {
            String address = mail.getString("address");
            if (address == null || !address.contains("@")) throw new Exception("no address: " + address);
            Thread.sleep((long) (1000 * mail.getDouble("seconds"))); // Here the mail would be sent.
        } catch (Exception error) {
            end = fail;
            end.setString(2, error.toString().replace("\0", "")); // PostgreSQL's text takes any character but this one.
        }
        end.setLong(1, mail.getLong("id"));
        end.execute();
    }

    static void work(Connection db) throws SQLException {
        // Not {call …}, of which JDBC makes a SELECT. The CALL goes alone, so auto-commit stays on.
        waiting = db.prepareStatement("CALL pgq.wait('{welcome}', make_interval(secs => ?))");
        waiting.setDouble(1, 30); // An interval as a String is refused, and of PGInterval("30 s") 0 seconds arrive.
        PreparedStatement dequeue = db.prepareStatement("SELECT id, m ->> 'to' AS address, m ->> 'seconds' AS seconds"
            + " FROM pgq.dequeue('{welcome}'), pgq.payload_json(payload) AS m"); // NULL where it is no JSON.
        PreparedStatement complete = db.prepareStatement("SELECT pgq.complete(?)");
        PreparedStatement fail = db.prepareStatement("SELECT pgq.fail(?, ?)");
        while (stop.getCount() > 0) {
            waiting.execute();
            for (ResultSet mail = dequeue.executeQuery(); mail.next(); ) run(mail, complete, fail);
        }
    }

    public static void main(String[] arguments) throws Exception {
        String url = System.getenv("PGQUEUER_DSN").replaceFirst( // JDBC wants the user among the parameters.
            "^postgres(?:ql)?://([^:@/]*):?([^@/]*)@([^?]*)\\??(.*)", "jdbc:postgresql://$3?user=$1&password=$2&$4");
        DriverManager.getDriver(url); // At once, where this is no DSN or the driver is missing.
        Thread worker = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(new FutureTask<Void>(() -> {
            stop.countDown();
            if (!worker.isAlive()) return null; // It has failed, and the JVM ends with 1.
            for (; worker.isAlive(); worker.join(100)) if (waiting != null) waiting.cancel();
            Runtime.getRuntime().halt(0); // Else 143, however orderly the end.
            return null;
        })));
        for (long delay = 1; stop.getCount() > 0; delay = Math.min(2 * delay, 30)) {
            try (Connection db = DriverManager.getConnection(url)) {
                delay = 1;
                work(db);
            } catch (SQLException error) {
                if (!stop.await(delay, TimeUnit.SECONDS)) System.err.println("next try, after: " + error.getMessage());
            }
        }
    }
}
