using PolicyDaemon.Administration.Forecast;
using PolicyDaemon.Cli.Files;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Discovery;

namespace PolicyDaemon.Cli.Commands.Servers;

/// <summary>The file of <c>check --record</c> and <c>check --replay</c>: a report that somebody else can come to again.</summary>
internal static class CheckRecordFile
{
    // A destination has at most 20 MX hosts with 32 addresses; their chains are far smaller than this.
    private const int MaxOctets = 64 * 1024 * 1024;

    internal static void Write(CommandContext context, string file, CheckRecord record)
    {
        var note = ExportFile.Write(file, force: true, context.Host.Time, writer =>
        {
            writer.WriteLine(record.Write());
            return true;
        });
        if (note is not null)
            context.Report.Note(note);
    }

    internal static async Task<CheckResult> ReplayAsync(CommandContext context, string file, CancellationToken cancellation)
    {
        if (!CheckRecord.TryRead(Read(context, file), out var record, out var reason))
            throw Refused(file, reason);
        try
        {
            return await DestinationCheck.ReplayAsync(record, file, cancellation);
        }
        catch (Exception fault) when (fault is FormatException or ArgumentOutOfRangeException)
        {
            throw Refused(file, fault.Message);
        }
    }

    private static byte[] Read(CommandContext context, string file)
    {
        using var source = TableSource.Open(context, file, "a file that 'policyctl check DOMAIN --record FILE' has written");
        using var content = new MemoryStream();
        var buffer = new byte[64 * 1024];
        for (int read; (read = source.Read(buffer)) > 0;)
        {
            if (content.Length + read > MaxOctets)
                throw Refused(file, $"it is larger than {MaxOctets / 1024 / 1024} MiB");
            content.Write(buffer, 0, read);
        }

        return content.ToArray();
    }

    private static CommandException Refused(string file, string reason) =>
        new(ExitCode.Invalid, $"{file}: no record of a check: {reason}; name a file that 'policyctl check DOMAIN --record FILE' has written");
}
