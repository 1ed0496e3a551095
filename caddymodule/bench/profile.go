package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// profile writes the CPU profile of the paywall's process while a row runs once
// more. The run is not part of the table, because profiling costs time too, and
// its books are not looked at: the profile would be of that.
func (s *stand) profile(ctx context.Context, r row, window time.Duration, path string) error {
	window = max(window.Round(time.Second), time.Second)
	ended := make(chan error, 1)
	go func() {
		ended <- fetchProfile(ctx, s.paywalls[0].debug+"/debug/pprof/profile?seconds="+seconds(window), path)
	}()
	_, counted, err := s.run(ctx, s.paywalls, r, r.load(s, window))
	if fetched := <-ended; fetched != nil {
		return fmt.Errorf("profile: %w", fetched)
	}
	s.nextPage += counted.Sent
	return err
}

func fetchProfile(ctx context.Context, url, path string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, answer.Status)
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, answer.Body); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}
