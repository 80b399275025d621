using System.CommandLine;
using PolicyDaemon.Cli.Files;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Tables;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Cli.Commands.Tables;

/// <summary><c>export</c>: the entries as a Postfix table, for an emergency without policyd.</summary>
internal static class ExportVerb
{
    internal static Command Create(CommandRunner runner)
    {
        var file = new Argument<string?>("FILE")
        {
            Description = "Where to write; a file that is there is replaced in one step and kept under another name. Without it: standard output",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var force = new Option<bool>("--force") { Description = "Replace a table with entries by an empty one" };
        var full = new Option<bool>("--full")
        {
            Description = "Everything a person may say of an entry, observed ones too: what apply and edit read, and Postfix does not",
        };
        var verb = new Verb("export", "Write the entries as the source of a Postfix table, in a stable order.")
        {
            Examples =
            [
                ("policyctl export --full entries.conf", "All entries with pins, modes and notes, to keep in a repository and apply."),
                ("policyctl export /etc/postfix/tls_policy.emergency", "An emergency table; then: smtp_tls_policy_maps = texthash:/etc/postfix/tls_policy.emergency"),
                ("policyctl export | diff - tls_policy.yesterday", "What changed."),
            ],
        };
        verb.Add(file);
        verb.Add(force);
        verb.Add(full);
        verb.SetAction(runner.Handle(context => Run(context, context.Get(file) ?? "-", context.Get(force), context.Get(full))));
        return verb;
    }

    private static ExitCode Run(CommandContext context, string file, bool force, bool full)
    {
        if (context.Report.Format == OutputFormat.Json)
            throw new CommandException(ExitCode.Usage, "export writes a table of Postfix and no JSON; for JSON, which apply reads too: policyctl domain list --format json");
        using var store = context.OpenStore(StoreAccess.Read);
        (int Written, int Observed, int Deferred) counts = default;
        string? remark = null;
        if (ExportFile.IsStandardOutput(file))
            Write(context.Host.Out);
        else
            remark = ExportFile.Write(file, force, context.Host.Time, Write);
        var left = (counts.Observed > 0 ? FormattableString.Invariant($", {counts.Observed} only observed and left out") : "")
            + (counts.Deferred > 0 ? FormattableString.Invariant($", {counts.Deferred} that cannot be served, written so that their mail is deferred") : "");
        context.Host.Error.WriteLine(FormattableString.Invariant($"{counts.Written} {(counts.Written == 1 ? "entry" : "entries")}{left}."));
        if (remark is not null)
            context.Host.Error.WriteLine(remark);
        return ExitCode.Done;

        bool Write(TextWriter output)
        {
            counts = full ? (EntryTableWriter.Write(output, store.ListInForce()), 0, 0) : PolicyTableWriter.Write(output, store.List(), context.Settings.Postfix, context.Host.Time.GetUtcNow());
            return counts.Written + counts.Deferred > 0;
        }
    }
}
