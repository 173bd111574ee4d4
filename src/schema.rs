//! The install script: the files of `sql/schema`, in their order. No logic.

use pgrx::extension_sql_file;

extension_sql_file!("../sql/schema/010_schema.sql", name = "schema", bootstrap);
extension_sql_file!("../sql/schema/020_types.sql", name = "types", requires = ["schema"]);
extension_sql_file!("../sql/schema/030_job.sql", name = "job", requires = ["types"]);
extension_sql_file!("../sql/schema/031_job_log.sql", name = "job_log", requires = ["job"]);
extension_sql_file!("../sql/schema/032_entrypoints.sql", name = "entrypoints", requires = ["job_log"]);
extension_sql_file!("../sql/schema/033_receipt.sql", name = "receipt", requires = ["entrypoints"]);
extension_sql_file!("../sql/schema/034_schedules.sql", name = "schedules", requires = ["receipt"]);
extension_sql_file!("../sql/schema/040_claims.sql", name = "claims", requires = ["schedules"]);
extension_sql_file!("../sql/schema/050_producing.sql", name = "producing", requires = ["claims"]);
extension_sql_file!("../sql/schema/051_consuming.sql", name = "consuming", requires = ["producing"]);
extension_sql_file!("../sql/schema/052_controlling.sql", name = "controlling", requires = ["consuming"]);
extension_sql_file!("../sql/schema/053_scheduling.sql", name = "scheduling", requires = ["controlling"]);
extension_sql_file!("../sql/schema/054_importing.sql", name = "importing", requires = ["scheduling"]);
extension_sql_file!("../sql/schema/060_seeing.sql", name = "seeing", requires = ["importing"]);
extension_sql_file!("../sql/schema/061_health.sql", name = "health_of_server", requires = ["seeing"]);
extension_sql_file!("../sql/schema/062_health_of_rows.sql", name = "health_of_rows", requires = ["health_of_server"]);
extension_sql_file!("../sql/schema/063_health_of_jobs.sql", name = "health_of_jobs", requires = ["health_of_rows"]);
extension_sql_file!(
    "../sql/schema/064_health_of_schedules.sql",
    name = "health_of_schedules",
    requires = ["health_of_jobs"]
);
extension_sql_file!("../sql/schema/065_health.sql", name = "health", requires = ["health_of_schedules"]);
extension_sql_file!("../sql/schema/066_explain.sql", name = "explain", requires = ["health"]);
extension_sql_file!("../sql/schema/067_metrics.sql", name = "metrics", requires = ["explain"]);
extension_sql_file!("../sql/schema/070_access.sql", name = "access", requires = ["metrics"]);
extension_sql_file!("../sql/schema/080_durability.sql", name = "durability", requires = ["access"]);
extension_sql_file!("../sql/schema/085_dump.sql", name = "dump", requires = ["durability"]);
extension_sql_file!("../sql/schema/090_installed.sql", name = "installed", requires = ["dump"], finalize);
