namespace PolicyDaemon.Cli.Setup;

/// <summary>The edits of main.cf that <c>setup --apply</c> makes: those that settle problems.</summary>
internal static class SetupPlan
{
    // Each round settles one problem; there are fewer checks than this.
    private const int MostRounds = 32;

    /// <summary>Settles one problem after the other, each on top of the ones before, as a person would who runs setup again and again.</summary>
    /// <remarks>Warnings and notes are a person's choice. A problem whose command is no edit of main.cf is left to a person too.</remarks>
    internal static IReadOnlyList<MainCfEdit> Of(SetupSubject subject)
    {
        var plan = new Dictionary<string, MainCfEdit>(StringComparer.Ordinal);
        var tried = new HashSet<MainCfEdit>();
        for (var round = 0; round < MostRounds; round++)
        {
            var edits = SetupChecks.Run(subject)
                .Where(result => result.Severity == SetupSeverity.Problem)
                .Select(result => result.Steps.Select(step => step.Edit).OfType<MainCfEdit>().Where(edit => !tried.Contains(edit)).ToList())
                .FirstOrDefault(found => found.Count > 0);
            if (edits is null)
                break;
            foreach (var edit in edits)
            {
                // A value that did not help, or that another check wants back, is not tried again.
                tried.Add(edit);
                plan[edit.Parameter] = edit;
                subject = subject with { Postfix = subject.Postfix.With(edit) };
            }
        }

        return [.. plan.Values];
    }
}
