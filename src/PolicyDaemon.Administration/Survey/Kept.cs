using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store.Browsing;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Administration.Survey;

/// <summary>Keeps what takes long to find out, and finds it out anew when somebody asks and it is old: nobody waits for it for long.</summary>
/// <typeparam name="T">What is found out.</typeparam>
/// <param name="find">Finds it out, on a thread of the pool; null where it cannot.</param>
/// <param name="age">How old it may be, by how long it took.</param>
/// <param name="time">The clock.</param>
/// <param name="patience">How long a caller waits for what is being found out.</param>
/// <param name="failed">Told what made it fail, other than the store: whoever asks opens the store, too, and says why it cannot be read.</param>
/// <param name="first">How long where nothing was found out before; null for no longer than otherwise.</param>
public sealed class Kept<T>(
    Func<T?> find, Func<TimeSpan, TimeSpan> age, TimeProvider time, TimeSpan patience, Action<Exception> failed, TimeSpan? first = null)
    where T : class
{
    private readonly Lock sync = new();
    private (long At, TimeSpan Took, T? Value)? latest;
    private Task? running;

    /// <summary>The last one; null where there is none. Nothing is found out for it.</summary>
    public T? Latest
    {
        get
        {
            lock (sync)
                return latest?.Value;
        }
    }

    /// <summary>The last one, which is a new one where that is quick; null before the first was found out, and where it cannot be.</summary>
    public async Task<T?> GetAsync()
    {
        Task? awaited;
        TimeSpan wait;
        lock (sync)
        {
            if (running is null && (latest is not { } last || time.GetElapsedTime(last.At) >= age(last.Took)))
                running = Task.Run(Find);
            // What takes longer than anybody waits is not waited for once there is an older one.
            awaited = latest is { Value: not null } known && known.Took > patience ? null : running;
            wait = latest?.Value is null ? first ?? patience : patience;
        }

        if (awaited is not null)
            await Task.WhenAny(awaited, Task.Delay(wait, time));
        return Latest;
    }

    private void Find()
    {
        var began = time.GetTimestamp();
        T? found = null;
        try
        {
            found = find();
        }
        catch (StoreException)
        {
            // Old counts are not shown for new ones.
        }
#pragma warning disable CA1031 // nobody awaits it; pages say that nothing is known
        catch (Exception exception)
#pragma warning restore CA1031
        {
            failed(exception);
        }
        finally
        {
            lock (sync)
            {
                latest = (time.GetTimestamp(), time.GetElapsedTime(began), found);
                running = null;
            }
        }
    }
}

/// <summary>Keeps a survey of the store.</summary>
public static class KeptSurvey
{
    // The machine has better things to do than to count: at most a twentieth of one core.
    private const int Share = 20;

    // What took so long went through a large store.
    internal static readonly TimeSpan Long = TimeSpan.FromSeconds(0.5);

    /// <param name="settings">The configuration.</param>
    /// <param name="time">The clock.</param>
    /// <param name="patience">How long a caller waits for a survey that is under way.</param>
    /// <param name="failed">Told what made a survey fail, other than the store.</param>
    public static Kept<StoreSurvey> Of(Settings settings, TimeProvider time, TimeSpan patience, Action<Exception> failed)
    {
        ArgumentNullException.ThrowIfNull(failed);
        var known = new EndingCertificates();
        return new Kept<StoreSurvey>(Find, took => Share * took, time, patience, failed);

        StoreSurvey Find()
        {
            var survey = StoreSurvey.Of(settings, known, time);
            // What SQLite keeps of a walk through a large store is none of what this program made.
            if (survey.Took >= Long)
                ProcessMemory.GiveBack();
            else
                ProcessMemory.GiveBackMuch();
            return survey;
        }
    }
}
