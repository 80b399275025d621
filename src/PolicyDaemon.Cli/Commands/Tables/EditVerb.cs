using System.CommandLine;
using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Administration.Tables;
using PolicyDaemon.Cli.Commands.Changes;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Tables;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Cli.Commands.Tables;

/// <summary><c>edit</c>: the entries in the person's editor, and the store as they were left there.</summary>
internal static class EditVerb
{
    internal static Command Create(CommandRunner runner)
    {
        var pattern = Arguments.OptionalPattern("without it all are edited");
        var write = new WriteOptions();
        var verb = new Verb("edit", "Edit entries in $VISUAL or $EDITOR: rows changed, added and removed there are so in the store afterwards.")
        {
            Columns = ChangeReport.Columns,
            ExitCodes = "1 where it is given up; 5 where the editor fails",
            Examples =
            [
                ("policyctl edit '*.example'", "The entries below .example; what is wrong is shown with its line, and edited again."),
                ("policyctl edit partner.example --reason 'ticket 4711'", "One entry; lowering or removing takes a reason, which is asked for otherwise."),
            ],
        };
        verb.Add(pattern);
        write.AddTo(verb);
        verb.SetAction(runner.Handle((context, cancellation) => RunAsync(context, context.Get(pattern), write, cancellation)));
        return verb;
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, string? pattern, WriteOptions write, CancellationToken cancellation)
    {
        if (!context.Host.InIsTerminal)
            throw new CommandException(ExitCode.Usage, "edit needs a terminal; for scripts: policyctl export --full, and policyctl apply");
        // What is wrong with the command line is said before anybody has written anything.
        _ = write.Patience(context);
        _ = write.Request(context);
        var shown = Read(context, pattern);
        if (shown.Count == 0 && pattern is not null)
            throw new CommandException(ExitCode.Negative, $"no configured key matches {pattern}");
        await using var input = context.Host.In();
        using var session = new EditSession(context, write, shown, input);
        return await session.RunAsync(cancellation);
    }

    private static Dictionary<NextHop, Destination> Read(CommandContext context, string? pattern)
    {
        using var store = context.OpenStore(StoreAccess.Read);
        var wanted = pattern is null ? null : new KeyPattern(pattern);
        return store.List(wanted?.Canonical).Where(entry => wanted?.Matches(entry.Key) != false).ToDictionary(entry => entry.Key);
    }

    /// <summary>One editing, from the first time the editor is opened until the change is made or given up. What was typed is never lost.</summary>
    /// <param name="shown">The entries as they were when they were put before the person.</param>
    private sealed class EditSession(CommandContext context, WriteOptions write, Dictionary<NextHop, Destination> shown, Stream input) : IDisposable
    {
        private const int MostAsked = 100;

        private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("policyctl-edit-");
        private readonly HashSet<NextHop> scope = [.. shown.Keys];
        private readonly Dictionary<NextHop, string> rows = InForce(context, shown).ToDictionary(entry => entry.Key, entry => EntryTableWriter.Row(Said(entry)));
        private bool isKept = true;
        private string? reason = context.Get(write.Reason);

        private string FileName => Path.Combine(directory.FullName, "entries.conf");

        internal async Task<ExitCode> RunAsync(CancellationToken cancellation)
        {
            await using (var writer = new StreamWriter(FileName))
                EntryTableWriter.Write(writer, InForce(context, shown));
            var original = await File.ReadAllBytesAsync(FileName, cancellation);
            Edit();
            ChangeResult? made;
            try
            {
                made = await IsEditedAsync(original, cancellation) ? await MakeAsync(cancellation) : null;
            }
            catch (OperationCanceledException)
            {
                throw new CommandException(ExitCode.Inconclusive, $"interrupted; nothing was changed, and what you wrote is in {FileName}");
            }
            catch (Exception fault) when (fault is not CommandException)
            {
                // A defect of ours ends the program, and shall not take the work of an hour along.
                await context.Host.Error.WriteLineAsync($"policyctl: what you wrote is in {FileName}");
                throw;
            }

            isKept = false;
            return made is null ? ExitCode.Done : await ChangeCommand.FinishAsync(context, write, made, summary: true, cancellation);
        }

        public void Dispose()
        {
            if (!isKept)
                directory.Delete(recursive: true);
        }

        private static IEnumerable<Destination> InForce(CommandContext context, Dictionary<NextHop, Destination> stored) =>
            stored.Values.Select(entry => entry.At(context.Host.Time.GetUtcNow())).OfType<Destination>();

        private void Edit()
        {
            try
            {
                context.Host.Edit(FileName);
            }
            catch (CommandException failed)
            {
                throw new CommandException(failed.Code, $"{failed.Message}; nothing was changed, and the text is in {FileName}");
            }
        }

        private async Task<bool> IsEditedAsync(byte[] original, CancellationToken cancellation)
        {
            if (!(await File.ReadAllBytesAsync(FileName, cancellation)).SequenceEqual(original))
                return true;
            context.Report.Note("Nothing was edited; nothing was changed.");
            return false;
        }

        /// <summary>Makes it so, and lets the person edit again for as long as it cannot be.</summary>
        private async Task<ChangeResult?> MakeAsync(CancellationToken cancellation)
        {
            for (var asked = 0; asked < MostAsked; asked++)
            {
                try
                {
                    return await TryAsync(cancellation);
                }
                catch (Exception wrong) when (wrong is not AskAgainException && Failures.TryDescribe(wrong, out var failure))
                {
                    failure.Write(context.Host.Error);
                }
                catch (AskAgainException)
                {
                }

                await AskAsync(cancellation);
                Edit();
            }

            throw new CommandException(ExitCode.Negative, $"given up; nothing was changed, and what you wrote is in {FileName}");
        }

        /// <summary>Reads what was written, shows what would change, and makes it so.</summary>
        /// <returns>What was committed; null where nothing was to be.</returns>
        private async Task<ChangeResult?> TryAsync(CancellationToken cancellation)
        {
            var table = new DeclaredTable(FileName, context.Settings, context.Host.Time);
            await using (var source = File.OpenRead(FileName))
                table.Read(source);
            foreach (var warning in table.Warnings)
                context.Report.Warning(warning);
            var flow = new ChangeFlow(context.Settings, context.Host.Time, context.Host.Journal);
            IReadOnlyList<PlannedChange> planned = [];
            var preview = flow.Run(Request(dryRun: true), Plan);
            EntryDiff.Write(context.Report, planned, preview);
            if (!preview.Keys.Any(key => key.IsChanged))
            {
                context.Report.Note("Nothing to change: it is so already.");
                return null;
            }

            if (context.Get(write.DryRun))
            {
                ChangeReport.WriteDifferences(context.Report, preview);
                context.Report.Note("Nothing was changed (--dry-run).");
                return null;
            }

            if (preview.Weakens && reason is null)
                reason = await ReasonAsync(cancellation);
            return ChangeCommand.Make(context, Request(dryRun: false), Plan, summary: true);

            IReadOnlyList<PlannedChange> Plan(StoreView view) => planned =
            [
                .. table.Plan(view, prunes: true, scope, reason is not null, row => EntryTableWriter.Row(row) != rows.GetValueOrDefault(row.Key))
                    .Select(plan => Checked(view, plan)),
            ];
        }

        /// <summary>Refuses a change of an entry that is not any more as the editor showed it.</summary>
        /// <exception cref="RefusedException">Somebody else changed this entry meanwhile, or it was not among those that are edited.</exception>
        private PlannedChange Checked(StoreView view, PlannedChange plan)
        {
            var was = shown.GetValueOrDefault(plan.Key);
            if (plan.Before == was)
                return plan;
            if (!scope.Contains(plan.Key))
            {
                throw new RefusedException(
                    Refusal.ConfiguredAlready, $"{plan.Name} is configured and is not among the entries that you edit; edit it with: policyctl edit {Shell.Quote(plan.Key.Text)}");
            }

            var last = view.Store.Audit(plan.Key, 1).FirstOrDefault();
            // Who goes on after having been told means it.
            if (plan.Before is null)
                shown.Remove(plan.Key);
            else
                shown[plan.Key] = plan.Before;
            throw new RefusedException(
                Refusal.ConfiguredAlready,
                FormattableString.Invariant($"{plan.Key} was changed while you edited{(last is null ? "" : $", by {last.Actor}, change {last.ChangeId}")}; nothing was changed. To make it as you wrote all the same, edit again and save"),
                plan.Before is null ? ["it was removed"] : ["it is now", .. EntryTableWriter.Row(plan.Before).TrimEnd('\n').Split('\n')]);
        }

        /// <summary>The entry as a file with it would be read back: with the pins that a row has.</summary>
        private static Destination Said(Destination entry) => entry with { Pins = [.. entry.Pins.Where(EntryAttributes.IsSaid)] };

        private ChangeRequest Request(bool dryRun) => write.Request(context) with { DryRun = dryRun, Reason = reason };

        private async Task<string> ReasonAsync(CancellationToken cancellation) =>
            await Question.AskTextAsync(context.Host, input, "This takes a reason (kept in the audit log; empty: edit again): ", cancellation)
                is { Length: > 0 } text
                ? text
                : throw new AskAgainException();

        /// <summary>Asks what is to be done about a file that cannot be applied, as visudo(8) does.</summary>
        private async Task AskAsync(CancellationToken cancellation)
        {
            for (var asked = 0; asked < MostAsked; asked++)
            {
                switch (await Question.AskAsync(context.Host, input, "What now? (e)dit again, e(x)it and drop it, (Q)uit and keep it in a file: ", cancellation))
                {
                    case "e":
                        return;
                    case "x":
                        isKept = false;
                        throw new CommandException(ExitCode.Negative, "given up; nothing was changed");
                    case "q" or null:
                        throw new CommandException(ExitCode.Negative, $"given up; nothing was changed, and what you wrote is in {FileName}");
                }
            }

            throw new CommandException(ExitCode.Negative, $"given up; nothing was changed, and what you wrote is in {FileName}");
        }

        private sealed class AskAgainException : Exception;
    }
}
