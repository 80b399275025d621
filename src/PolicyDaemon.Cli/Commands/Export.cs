using System.CommandLine;
using System.Text;
using PolicyDaemon.Core.Tables;
using PolicyDaemon.Store;

namespace PolicyDaemon.Cli.Commands;

/// <summary><c>export</c>: the entries as a Postfix table, for an emergency without policyd.</summary>
internal static class Export
{
    internal static Command Create(CommandRunner runner)
    {
        var file = new Argument<string?>("FILE")
        {
            Description = "Where to write; replaced in one step. Without it: standard output",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var verb = new Verb("export", "Write the entries as the source of a Postfix table, in a stable order.")
        {
            Examples =
            [
                ("policyctl export /etc/postfix/tls_policy", "An emergency table; then: postmap hash:/etc/postfix/tls_policy, and smtp_tls_policy_maps = hash:/etc/postfix/tls_policy"),
                ("policyctl export | diff - tls_policy.yesterday", "What changed."),
            ],
        };
        verb.Add(file);
        verb.SetAction(runner.Handle(context => Run(context, context.Get(file))));
        return verb;
    }

    private static ExitCode Run(CommandContext context, string? file)
    {
        using var store = context.OpenStore(StoreAccess.Read);
        var (written, observed, deferred) = file is null or "-"
            ? PolicyTableWriter.Write(context.Host.Out, store.List(), context.Settings.Postfix)
            : WriteFile(context, store, file);
        var left = (observed > 0 ? FormattableString.Invariant($", {observed} only observed and left out") : "")
            + (deferred > 0 ? FormattableString.Invariant($", {deferred} that cannot be served, written so that their mail is deferred") : "");
        context.Host.Error.WriteLine(FormattableString.Invariant($"{written} {(written == 1 ? "entry" : "entries")}{left}."));
        return ExitCode.Done;
    }

    private static (int Written, int Observed, int Deferred) WriteFile(CommandContext context, PolicyStore store, string file)
    {
        var full = Path.GetFullPath(file);
        CommandContext.RequireDirectory(full);
        var draft = full + ".new";
        try
        {
            (int, int, int) counts;
            using (var stream = new FileStream(draft, FileMode.Create, FileAccess.Write))
            {
                using (var writer = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true))
                    counts = PolicyTableWriter.Write(writer, store.List(), context.Settings.Postfix);
                stream.Flush(flushToDisk: true);
            }

            if (File.Exists(full))
                File.SetUnixFileMode(draft, File.GetUnixFileMode(full));
            File.Move(draft, full, overwrite: true);
            return counts;
        }
        finally
        {
            File.Delete(draft);
        }
    }
}
