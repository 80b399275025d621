using System.CommandLine;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Store;

namespace PolicyDaemon.Cli.Commands.Stores;

/// <summary><c>store schema</c>: what the administrator of a server is handed, who makes roles and tables.</summary>
internal static class StoreSchema
{
    internal static Command Create(CommandRunner runner)
    {
        var verb = new Verb("schema", "Print the roles, tables and rights of a store on a PostgreSQL server, for psql and whoever administers it.")
        {
            Examples =
            [
                ("policyctl store schema", "What the administrator of the server is to run; its head says how, its end what to fill in."),
                ("policyctl store schema | diff - policydaemon.sql", "What this version has otherwise than the one from which the file is."),
            ],
        };
        verb.SetAction(runner.Handle(Run));
        return verb;
    }

    private static ExitCode Run(CommandContext context)
    {
        if (context.Report.Format == OutputFormat.Json)
            throw new CommandException(ExitCode.Usage, "store schema writes SQL and no JSON");
        context.Host.Out.Write(StorePlace.ServerSchema());
        return ExitCode.Done;
    }
}
