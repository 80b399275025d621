using System.CommandLine;
using System.Globalization;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Lookup.Clients;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;

namespace PolicyDaemon.Cli.Commands.Lookups;

/// <summary><c>query</c>: one key to the running daemon, over its socket and with Postfix's strictness. Opens no store.</summary>
internal static class QueryVerb
{
    private static readonly string[] Columns = ["answer"];

    private sealed record Options(
        Argument<string> Key, Option<string?> Map, Option<bool> Tcp, Option<string?> Server, Option<double> Timeout);

    internal static Command Create(CommandRunner runner)
    {
        var options = new Options(
            new Argument<string>("KEY") { Description = "Sent as it is, letter case and all: one question, without the walk to parents" },
            new Option<string?>("--map") { HelpName = "NAME", Description = $"The socketmap's name: {string.Join(" or ", MapNames.All)}, with --server any other [default: {MapNames.All[0]}]" },
            new Option<bool>("--tcp") { Description = "Ask over tcp_table instead of socketmap" },
            new Option<string?>("--server") { HelpName = "ENDPOINT", Description = "inet:HOST:PORT or unix:/PATH [default: the first one configured]" },
            new Option<double>("--timeout") { HelpName = "SECONDS", Description = "How long to wait [default: 5]", DefaultValueFactory = _ => 5 });
        var verb = new Verb("query", "Ask the running policyd as Postfix would, and print the policy text.")
        {
            Columns = Columns,
            ExitCodes = "1 not found; 3 policyd does not run; 4 no permission for its socket; 6 a temporary or permanent error, no or a malformed reply",
            Examples =
            [
                ("policyctl query example.com", "The same as: postmap -q example.com socketmap:inet:127.0.0.1:8461:tlspolicy"),
                ("policyctl query .example.com --tcp", "Over tcp_table, as: postmap -q .example.com tcp:127.0.0.1:8462"),
                ("policyctl explain sub.example.com", "Which keys Postfix asks for, and why it is told what it is told."),
            ],
        };
        options.Map.CompletionSources.Add([.. MapNames.All]);
        verb.Add(options.Key);
        verb.Add(options.Map);
        verb.Add(options.Tcp);
        verb.Add(options.Server);
        verb.Add(options.Timeout);
        verb.SetAction(runner.Handle(context => Run(context, options)));
        return verb;
    }

    private static ExitCode Run(CommandContext context, Options options)
    {
        var key = context.Get(options.Key)!;
        var seconds = context.Get(options.Timeout);
        if (!(seconds is > 0 and <= 3600))
            throw new CommandException(ExitCode.Usage, "--timeout is a number of seconds from 0.001 to 3600");
        var tcp = context.Get(options.Tcp);
        if (tcp && context.Get(options.Map) is not null)
            throw new CommandException(ExitCode.Usage, "tcp_table has no map names; leave out --map or --tcp");
        // Another server may have other maps.
        if (context.Get(options.Server) is null && context.Get(options.Map) is { } name && !MapNames.All.Contains(name))
            throw new CommandException(ExitCode.Usage, $"policyd has no map '{name}', and answers a question for it with a permanent error{Nearest.Suggestion(name, MapNames.All, "the maps are")}");
        var map = tcp ? null : context.Get(options.Map) ?? MapNames.All[0];
        var endpoint = Endpoint(context, options, tcp);
        var timeout = TimeSpan.FromSeconds(seconds);
        // On a thread of the pool: whoever called may have a synchronization context that waits for this one.
        var result = Task.Run(() => map is null
            ? TcpTableClient.AskAsync(endpoint, key, timeout, context.Host.Time, CancellationToken.None)
            : SocketmapClient.AskAsync(endpoint, map, key, timeout, context.Host.Time, CancellationToken.None)).GetAwaiter().GetResult();
        Show(context, endpoint, map, key, result, isOurs: context.Get(options.Server) is null);
        return Code(result);
    }

    private static MapEndpoint Endpoint(CommandContext context, Options options, bool tcp)
    {
        var protocol = tcp ? MapProtocol.TcpTable : MapProtocol.Socketmap;
        if (context.Get(options.Server) is { } server)
            return MapEndpoint.TryParse(protocol, server, out var named, out var wrong)
                ? named
                : throw new CommandException(ExitCode.Usage, $"--server {wrong}");
        var configured = tcp ? context.Settings.TcpTable : context.Settings.Socketmap;
        if (configured.IsEmpty)
            throw new CommandException(
                ExitCode.Invalid, tcp ? "no tcp_table endpoint is configured; ask over socketmap, without --tcp" : "no socketmap endpoint is configured; ask with --tcp or --server");
        return MapEndpoint.TryParse(protocol, configured[0].Text, out var endpoint, out var reason)
            ? endpoint
            : throw new CommandException(ExitCode.Invalid, configured[0].Problem(reason).ToString());
    }

    private static void Show(CommandContext context, MapEndpoint endpoint, string? map, string key, QueryResult result, bool isOurs)
    {
        var (kind, text) = (result.Answer.Kind, result.Answer.Text);
        if (context.Report.Format == OutputFormat.Json)
            context.Report.Json(new QueryJson(endpoint.Text, map, key, AnswerJson.From(result.Answer)), CliJson.Default.QueryJson);
        else if (context.Report.Format == OutputFormat.Tsv)
            context.Report.Tsv(Columns, kind == LookupAnswerKind.Found ? [[text]] : []);
        else if (kind == LookupAnswerKind.Found)
            // The text alone, as postmap -q prints it.
            context.Report.Line(text);

        if (result.Status != QueryStatus.Answered)
            throw new CommandException(
                Code(result), result.Status == QueryStatus.NotRunning && isOurs && DaemonAbsence.OfMachine(context.Settings.OfMachine ?? context.Settings) is { } absence ? $"nobody answers on {endpoint}: {absence}" : result.Message);
        if (kind == LookupAnswerKind.NotFound)
            context.Host.Error.WriteLine("policyctl: not found; Postfix goes on to the parent domain, then to smtp_tls_security_level");
        else if (kind != LookupAnswerKind.Found)
            context.Host.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"policyctl: {kind.Name()} error: {ShownText.Escape(text)}; Postfix defers the mail"));
    }

    private static ExitCode Code(QueryResult result) => result.Status switch
    {
        QueryStatus.NotRunning => ExitCode.DaemonNotRunning,
        QueryStatus.NoPermission => ExitCode.Permission,
        QueryStatus.Answered when result.Answer.Kind == LookupAnswerKind.Found => ExitCode.Done,
        QueryStatus.Answered when result.Answer.Kind == LookupAnswerKind.NotFound => ExitCode.Negative,
        _ => ExitCode.Inconclusive,
    };
}
